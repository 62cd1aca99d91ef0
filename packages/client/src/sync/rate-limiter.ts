import type { Clock } from '../clock.ts'

/**
 * The server accepts 200 messages a second, in bursts of at most 2,000 [S3]; the difference is for messages not counted here.
 */
const burst = 1_600
const perSecond = 160

/** Delays this device's messages, so that the server does not end the session for exceeding the rate limit. */
export class RateLimiter {
  readonly #clock: Clock
  #left: number = burst
  #countedAt: number
  #last: Promise<void> = Promise.resolve()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#countedAt = clock.elapsed()
  }

  /** Resolves when the caller may send this many messages, in the order of the calls; immediately if little was sent before. */
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
