import type { Delivery } from '@kith/shared/wire'

export type { Delivery }

/** What the app's calls need of the connection, whichever tab holds it. */
export interface LinkPort {
  /** Connects, and keeps connecting until `disconnect`. */
  connect(): void
  disconnect(): void
  /** Resolves when the server has answered and that is stored, or after 10 seconds; at once when there is no connection. */
  fetch(owner: string): Promise<void>
  /** Has an outcome within 10 seconds, or within `limitMs`. */
  send(to: string, text: string, limitMs?: number): Promise<Delivery>
  /** Watches the presence of these users only. */
  watch(users: readonly string[]): void
  /** Rejects with the first refusal [D5], with `unauthorised` when a token that is a string is refused, or with `aborted` or `closed`. */
  whenSynced(signal: AbortSignal | undefined): Promise<void>
  close(): Promise<void>
}
