import type { Delivery } from '@kith/shared/wire'

export type { Delivery }

/** The parts of the connection that the app's calls use, in whichever tab it is. */
export interface LinkPort {
  /** Connects, and reconnects until `disconnect`. */
  connect(): void
  disconnect(): void
  /** Resolves when the server's answer is stored, or after 10 seconds; immediately when there is no connection. */
  fetch(owner: string): Promise<void>
  /** Settles within 10 seconds, or within `limitMs`. */
  send(to: string, text: string, limitMs?: number): Promise<Delivery>
  /** Watches the presence of these users only. */
  watch(users: readonly string[]): void
  /** Rejects with the first refusal [D5], with `unauthorised` when a token string is refused, or with `aborted` or `closed`. */
  whenSynced(signal: AbortSignal | undefined): Promise<void>
  close(): Promise<void>
}
