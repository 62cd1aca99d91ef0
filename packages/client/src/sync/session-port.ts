import type { ClientMessage } from '@kith/shared/wire'
import type { Store } from '../database/store.ts'
import type { OutgoingMessages } from './direct-messages.ts'
import type { FrameSizes, Recovery } from './frame-sizes.ts'
import type { LinkHost } from './host.ts'
import type { PrivacyCheck } from './privacy-check.ts'
import type { SyncWaiters } from './sync-waiters.ts'

/** What a session needs of the connection that holds it. */
export interface SessionPort extends Omit<LinkHost, 'store' | 'openStore'> {
  /** The session ends with it. */
  readonly store: Store
  readonly waiters: SyncWaiters
  readonly messages: OutgoingMessages
  /** What the session before failed at. */
  readonly recovery: Recovery | undefined
  readonly frameSizes: FrameSizes
  readonly privacy: PrivacyCheck
  /** The server says in its welcome which wire it has, and reads that of a hello. */
  readonly isVersioned: boolean
  send(message: ClientMessage): void
  welcomed(): void
  /** All that can be exchanged is: only what was refused is unsent. */
  settled(): void
  /** It can't go on: the socket is to be closed. */
  broken(error: unknown): void
}
