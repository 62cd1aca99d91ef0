import type { Clock } from '../clock.ts'

/** The server takes 200 messages a second, and 2,000 at once [S3]: this leaves room for those that aren't counted here. */
const burst = 1_600
const perSecond = 160

/** Spreads what this device sends, so that the server needn't end the session for it. */
export class RateLimiter {
  readonly #clock: Clock
  #left: number = burst
  #countedAt: number
  #last: Promise<void> = Promise.resolve()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#countedAt = clock.elapsed()
  }

  /** Resolves when the caller may send so many messages, in the order of asking; at once as long as little was sent. */
  take(messages: number): Promise<void> {
    this.#last = this.#last.then(() => this.#wait(messages))
    return this.#last
  }

  async #wait(messages: number): Promise<void> {
    const now = this.#clock.elapsed()
    this.#left = Math.min(burst, this.#left + ((now - this.#countedAt) / 1000) * perSecond)
    this.#countedAt = now
    this.#left -= messages
    if (this.#left >= 0) return
    await new Promise<void>(resolve => {
      this.#clock.after((-this.#left / perSecond) * 1000, resolve)
    })
  }
}
