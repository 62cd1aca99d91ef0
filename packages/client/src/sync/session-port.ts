import type { ClientMessage } from '@kith/shared/wire'
import type { Store } from '../database/store.ts'
import type { OutgoingMessages } from './direct-messages.ts'
import type { FrameSizes, Recovery } from './frame-sizes.ts'
import type { LinkHost } from './host.ts'
import type { PrivacyCheck } from './privacy-check.ts'
import type { SyncWaiters } from './sync-waiters.ts'

/** The parts of the connection manager that a session uses. */
export interface SessionPort extends Omit<LinkHost, 'store' | 'openStore'> {
  /** The store on one open database. The session ends with it. */
  readonly store: Store
  readonly waiters: SyncWaiters
  readonly messages: OutgoingMessages
  /** What made the previous session fail. */
  readonly recovery: Recovery | undefined
  readonly frameSizes: FrameSizes
  readonly privacy: PrivacyCheck
  /** The server states its wire version in its welcome, and reads the version in a hello. */
  readonly isVersioned: boolean
  send(message: ClientMessage): void
  welcomed(): void
  /** Everything that can be exchanged has been exchanged: any unsent change was refused. */
  settled(): void
  /** The session cannot continue: the socket is to be closed. */
  broken(error: unknown): void
}
