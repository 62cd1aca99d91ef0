import type { Clock } from '../clock.ts'

/** Timers of a much longer time would end at once. */
const longestTimerMs = 24 * 60 * 60 * 1000

/** The end of a session with its token. */
export class Expiry {
  readonly #clock: Clock
  readonly #expired: () => void
  #cancel: () => void = () => undefined

  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock
    this.#expired = expired
  }

  /** Replaces the time at which the token ends; `undefined`: never. */
  set(expiresAtMs: number | undefined): void {
    this.#cancel()
    if (expiresAtMs !== undefined) this.#expireIn(expiresAtMs - this.#clock.now())
  }

  cancel(): void {
    this.#cancel()
  }

  /** Counted down from the sign-in: a machine's clock that is set meanwhile makes no session last longer, or shorter. */
  #expireIn(leftMs: number): void {
    const laterMs = leftMs - longestTimerMs
    this.#cancel = this.#clock.after(Math.min(leftMs, longestTimerMs), () => {
      if (laterMs > 0) this.#expireIn(laterMs)
      else this.#expired()
    })
  }
}
