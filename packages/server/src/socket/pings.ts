/** A device that has answered none of so many pings is gone. */
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

  /** The data of the next ping; each ping of a session has other data. */
  next(): Buffer {
    this.#unanswered++
    return dataOf(++this.#count)
  }

  /**
   * Whether a pong answers a ping: the last one, or the one before, which may take its time. A pong that repeats no ping does
   * not come from a device that reads what it is sent.
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
