import type { KithError } from '@kith/shared'
import type { IncomingMessage, Status } from '../api/events.ts'
import type { Clock, Randomness } from '../clock.ts'
import type { DeviceStore, OpenStore } from '../database/store.ts'
import type { PresenceByUser } from '../presence/presence.ts'
import type { TokenSource } from '../token.ts'
import type { WebSocketConstructor } from './socket.ts'

/** What the connection needs of the client that it belongs to. */
export interface LinkHost {
  readonly user: string
  readonly url: string
  readonly token: TokenSource
  readonly store: DeviceStore
  /** Resolves to the store on the database that is open. Rejects with a KithError when none can be opened now. */
  openStore(): Promise<OpenStore>
  readonly clock: Clock
  readonly randomness: Randomness
  readonly WebSocket: WebSocketConstructor
  setStatus(status: Status): void
  /** All that can be exchanged is: what is unsent was refused. */
  settled(): void
  failed(error: KithError): void
  /** This is all that is known now. */
  showPresence(known: PresenceByUser): void
  /** The account that this device synced with was erased: this device is to delete everything [D7]. */
  accountErased(): void
  /** Resolves when the message is with the app. */
  received(message: IncomingMessage): Promise<void>
}
