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

/** The connection as a client uses it, whether tabs share it or not. */
export interface DeviceLink extends LinkPort {
  wake(): void
  retryNow(): void
}

/** A connection of this tab's own. */
export interface OwnLink extends DeviceLink {
  /** Whether the app wants to be connected. */
  readonly isWanted: boolean
  /** Ends it immediately. Only pending calls are notified. */
  end(error: KithError): void
}

/** What a connection of a tab may use until another tab takes over. */
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
  /** Sends to the other tabs. */
  post(message: Asked | Answered): void
  newLink(held: Held): OwnLink
  /** This tab is the first, or has taken over from another one. */
  tookOver(isFirst: boolean): Promise<void>
  setStatus(status: Status): void
  /** Reports an error for which no call waits. Returns it as a KithError. */
  failed(error: unknown): KithError
}
