import type { Cursors } from './cursors.ts'

export const noCursor: Uint8Array = new Uint8Array()

/** The cursor that a device has, and whether a new one is due. */
export class FeedCursor {
  readonly #cursors: Cursors
  #hasCaughtUp = false
  /**
   * The device's cursor is older than something that the device has. Without a new cursor, the server would send it again [F1].
   */
  #isOwed = false
  /** The position up to which the device's cursor covers changes. */
  #position = 0

  constructor(cursors: Cursors) {
    this.#cursors = cursors
  }

  /** The device received `caughtUp` in this session, so it knows which replicas to drop. */
  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp
  }

  /** A `caughtUp` must be sent when nothing else is left to send. */
  get isDue(): boolean {
    return !this.#hasCaughtUp || this.#isOwed
  }

  owe(): void {
    this.#isOwed = true
  }

  /** The cursor of a frame after which nothing is left to send. Before the first `caughtUp`, no frame has a cursor. */
  ofLastFrame(): Uint8Array {
    return this.#hasCaughtUp ? this.#cursors.seal() : noCursor
  }

  /** A change up to this position needed no frame, because the device already has its result. */
  noteNothingToSend(changedAt: number): void {
    if (changedAt > this.#position) this.#isOwed = true
  }

  noteSent(withCursor: boolean): void {
    this.#isOwed = !withCursor
    if (withCursor) this.#position = this.#cursors.position
  }

  noteCaughtUp(): void {
    this.#hasCaughtUp = true
    this.noteSent(true)
  }
}
