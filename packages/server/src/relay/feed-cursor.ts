import type { Cursors } from './cursors.ts'

export const noCursor: Uint8Array = new Uint8Array()

/** The cursor that a device has, and whether another one is due. */
export class FeedCursor {
  readonly #cursors: Cursors
  #hasCaughtUp = false
  /** The device's cursor is from before something that it has: without another it would come again [F1]. */
  #isOwed = false
  /** Up to which position the device's cursor covers. */
  #position = 0

  constructor(cursors: Cursors) {
    this.#cursors = cursors
  }

  /** The device got `caughtUp` in this session, so it knows what to drop. */
  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp
  }

  /** A `caughtUp` is to be sent when nothing else is left to send. */
  get isDue(): boolean {
    return !this.#hasCaughtUp || this.#isOwed
  }

  owe(): void {
    this.#isOwed = true
  }

  /** The cursor of a frame behind which nothing is left; before the first `caughtUp` no frame has one. */
  ofLastFrame(): Uint8Array {
    return this.#hasCaughtUp ? this.#cursors.seal() : noCursor
  }

  /** A change up to this position needed no frame, since the device has what it shows. */
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
