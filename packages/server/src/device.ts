import type { ErrorCode } from '@kith/shared'
import type { ServerMessage } from '@kith/shared/wire'
import type { DocumentName } from './relations/records.ts'
import type { Follower } from './relay/entry.ts'

/** One connected device, as the rest of the server sees it. Code that needs less of it declares that with `Pick`. */
export interface Device {
  readonly user: string
  readonly isClosed: boolean
  /** The position that the store had reported before the token was checked. */
  readonly signedInAt: number
  /** Bytes that were sent and that the network has not accepted yet. */
  readonly outstandingBytes: number
  /** The memory of frames that have not arrived completely. */
  readonly heldBytes: number
  /** Absent until the device has sent its hello, so a stock y-websocket provider has none. */
  readonly feed: Follower | undefined
  /** Whether the device was welcomed, and may receive messages. */
  readonly hasArrived: boolean

  /** Sends an encoded frame. Once the network has accepted it, `onTaken` of the session's feed and watch is called. */
  send(frame: Uint8Array): void
  /** Calls `send`. The frames that it sends are passed to the network in few writes. */
  together(send: () => void): void
  say(message: ServerMessage): void
  /** The client that founded the generation of a document that was announced to the device. `undefined` before that. */
  founderOf(document: DocumentName): number | undefined
  /** Whether the device received the document of that generation, or itself compares generations before it sends anything. */
  hasGeneration(document: DocumentName): boolean
  noteFounder(document: DocumentName, founder: number): void
  /** The device's document belongs to another generation than the server's. Ends its session. */
  outdate(document: DocumentName): void
  /** Sends a change of the user's own document that another device made. */
  sendOwn(document: DocumentName, update: Uint8Array): void

  /** An update was not admitted, and nothing of it was written. */
  refuse(document: DocumentName, code: ErrorCode, what: string): void
  /**
   * An update builds on content that the server lacks. Requests the whole state from the device, unless it was already
   * requested.
   */
  resend(document: DocumentName, stateVector: Uint8Array): void
  /**
   * A change of this session is on disk. `relations`: the number of users about whom the roster now says something else. If the
   * change affects the user as a whole, it is the number of all users that the roster names.
   */
  committed(relations: number): void
  /** Documents of this size were read for what this session wrote, admitted or not. */
  looked(documentBytes: number): void
  /** Charges work to the device's user. A debt is paid before the user's next frame. */
  charge(units: number): void
  /** Work for this session failed. Nothing that it wrote since its last commit is on disk. */
  fail(error: unknown): void
}
