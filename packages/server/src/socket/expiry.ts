import type { Clock } from '../clock.ts'

/** Timers of a much longer time would fire immediately. */
const longestTimerMs = 24 * 60 * 60 * 1000

/** Ends a session when its token expires. */
export class Expiry {
  readonly #clock: Clock
  readonly #expired: () => void
  #cancel: () => void = () => undefined

  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock
    this.#expired = expired
  }

  /** Replaces the time at which the token expires. `undefined`: never. */
  set(expiresAtMs: number | undefined): void {
    this.#cancel()
    if (expiresAtMs !== undefined) this.#expireIn(expiresAtMs - this.#clock.now())
  }

  cancel(): void {
    this.#cancel()
  }

  /** Counted down from the sign-in, so a change of the machine's clock makes no session longer or shorter. */
  #expireIn(leftMs: number): void {
    const laterMs = leftMs - longestTimerMs
    this.#cancel = this.#clock.after(Math.min(leftMs, longestTimerMs), () => {
      if (laterMs > 0) this.#expireIn(laterMs)
      else this.#expired()
    })
  }
}
