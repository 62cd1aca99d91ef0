import type { KithError } from '@kith/shared'
import type { Status } from '../api/events.ts'
import type { Clock, Randomness } from '../clock.ts'
import type { DeviceStore, OpenStore } from '../database/store.ts'
import type { LinkPort } from '../sync/port.ts'
import type { TabChannel } from './channel.ts'
import type { Lease } from './lease.ts'
import type { LockManagerLike } from './lock.ts'
import type { Answered, Asked } from './tab-messages.ts'
import type { TabsWatching } from './watching.ts'

/** What a client uses of its connection, whether that is shared by tabs or not. */
export interface DeviceLink extends LinkPort {
  wake(): void
  retryNow(): void
}

/** A connection that this tab has of its own. */
export interface OwnLink extends DeviceLink {
  /** Whether the app wants to be connected. */
  readonly isWanted: boolean
  /** Ends it at once, and says so only to those who wait for it. */
  end(error: KithError): void
}

/** What a connection of a tab may use as long as no other tab has taken over. */
export interface Held {
  /** The store for this connection only. */
  fence(store: OpenStore): OpenStore
  setStatus(status: Status): void
  readonly lease: Lease
}

export interface SharedLinkPort {
  readonly store: DeviceStore
  readonly clock: Clock
  readonly randomness: Randomness
  readonly locks: LockManagerLike
  readonly lockName: string
  readonly channel: TabChannel
  /** This tab's own name among the tabs. */
  readonly tab: string
  readonly watching: TabsWatching
  /** To the other tabs. */
  post(message: Asked | Answered): void
  newLink(held: Held): OwnLink
  /** This tab is the first, or goes on where another one ended. */
  tookOver(): Promise<void>
  setStatus(status: Status): void
  /** Reports what no call waits for, and gives it as the one error class. */
  failed(error: unknown): KithError
}
