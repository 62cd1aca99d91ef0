/** A device that has not answered this many pings in a row is gone. */
const mostUnanswered = 2

/** The pings of one session, and whether its device answers them. */
export class Pings {
  #count = 0
  /** Pings since the last answer. */
  #unanswered = 0

  /** Whether the device has left too many pings unanswered. */
  get isGone(): boolean {
    return this.#unanswered >= mostUnanswered
  }

  /** The data of the next ping. Each ping of a session has different data. */
  next(): Buffer {
    this.#unanswered++
    return dataOf(++this.#count)
  }

  /**
   * Whether a pong answers a ping: the last one, or the one before, whose answer may be late. A pong with the data of no ping
   * does not come from a device that reads its frames.
   */
  isAnswer(data: Buffer): boolean {
    if (this.#unanswered === 0) return false
    if (!data.equals(dataOf(this.#count)) && !data.equals(dataOf(this.#count - 1))) return false
    this.#unanswered = 0
    return true
  }
}

function dataOf(count: number): Buffer {
  return Buffer.from(String(count))
}
