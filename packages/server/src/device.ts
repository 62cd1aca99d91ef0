import type { ErrorCode } from '@kith/shared'
import type { ServerMessage } from '@kith/shared/wire'
import type { DocumentName } from './relations/records.ts'
import type { Follower } from './relay/entry.ts'

/**
 * One connected device, as the rest of the server sees it. A part that needs less of it says so by `Pick`.
 */
export interface Device {
  readonly user: string
  readonly isClosed: boolean
  /** The position that the store had reported before the token was checked. */
  readonly signedInAt: number
  /** Bytes that were sent and that the network has not taken yet. */
  readonly outstandingBytes: number
  /** What frames that have not arrived as a whole take in memory. */
  readonly heldBytes: number
  /** Absent until the device has said hello, so a stock y-websocket provider has none. */
  readonly feed: Follower | undefined
  /** Whether the device was welcomed, and may get messages. */
  readonly hasArrived: boolean

  /** Sends an encoded frame. Once the network has taken it, `onTaken` of the session's feed and watch is called. */
  send(frame: Uint8Array): void
  /** Calls `send`. What it sends goes to the network in few writes. */
  together(send: () => void): void
  say(message: ServerMessage): void
  /** The client that founded the generation of a document that the device was told of; nothing before it was told. */
  founderOf(document: DocumentName): number | undefined
  /** Whether the device was sent the document of that generation, or compares generations itself before it sends anything. */
  hasGeneration(document: DocumentName): boolean
  noteFounder(document: DocumentName, founder: number): void
  /** The device's document is of another generation than the server's: its session ends. */
  outdate(document: DocumentName): void
  /** Sends a change of the user's own document that another device made. */
  sendOwn(document: DocumentName, update: Uint8Array): void

  /** An update was not admitted, and nothing of it was written. */
  refuse(document: DocumentName, code: ErrorCode, what: string): void
  /** An update builds on what the server lacks: asks the device for all of it, unless it was asked already. */
  resend(document: DocumentName, stateVector: Uint8Array): void
  /**
   * A change of this session is on disk. `relations`: the number of users of whom the roster now says something else; all
   * users that it names, if the change concerns the user as a whole.
   */
  committed(relations: number): void
  /** Documents of so many bytes were read for what this session wrote, admitted or not. */
  looked(documentBytes: number): void
  /** Charges work to the device's user. A debt is paid before the user's next frame. */
  charge(units: number): void
  /** Work for this session failed. Nothing that it wrote since its last commit is on disk. */
  fail(error: unknown): void
}
