/**
 * What became of a direct message: 'delivered' when a device of the addressee took it; 'undelivered' when none did in time,
 * or may [V8], and when it was never sent; 'unconfirmed' when it was sent and nothing says what became of it.
 */
export type Delivery = 'delivered' | 'undelivered' | 'unconfirmed'

/** What the app's calls need of the connection, whichever tab holds it. */
export interface LinkPort {
  /** Connects, and keeps connecting until `disconnect`. */
  connect(): void
  disconnect(): void
  /** Resolves when the server has answered and that is stored, or after 10 seconds; at once when there is no connection. */
  fetch(owner: string): Promise<void>
  /** Has an outcome within 10 seconds, or within `limitMs`. */
  send(to: string, text: string, limitMs?: number): Promise<Delivery>
  /** Their presence is wanted from now on, and nobody else's. */
  watch(users: readonly string[]): void
  /** Rejects with the first refusal [D5], with `unauthorised` when a token that is a string is refused, or with `aborted` or `closed`. */
  whenSynced(signal: AbortSignal | undefined): Promise<void>
  close(): Promise<void>
}
