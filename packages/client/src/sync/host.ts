import type { KithError } from '@kith/shared'
import type { IncomingMessage, Status } from '../api/events.ts'
import type { Clock, Randomness } from '../clock.ts'
import type { DeviceStore, OpenStore } from '../database/store.ts'
import type { PresenceByUser } from '../presence/presence.ts'
import type { TokenSource } from '../token.ts'
import type { WebSocketConstructor } from './socket.ts'

/** The parts of the client that its connection uses. */
export interface LinkHost {
  readonly user: string
  readonly url: string
  readonly token: TokenSource
  readonly store: DeviceStore
  /** Resolves to the store on the open database. Rejects with a KithError when no database can be opened now. */
  openStore(): Promise<OpenStore>
  readonly clock: Clock
  readonly randomness: Randomness
  readonly WebSocket: WebSocketConstructor
  setStatus(status: Status): void
  /** Everything that can be exchanged has been exchanged: any unsent change was refused. */
  settled(): void
  failed(error: KithError): void
  /** Shows all presence that is known now. */
  showPresence(known: PresenceByUser): void
  /** The account that this device synced with was erased: this device is to delete everything [D7]. */
  accountErased(): void
  /** Resolves when the app has received the message. */
  received(message: IncomingMessage): Promise<void>
}
