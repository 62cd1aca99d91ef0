import type { Clock } from '../clock.ts'

/** If waiting never helps, for example with a rate of 0: retry some day, because limits can change. */
const longestWaitMs = 24 * 60 * 60 * 1000

/** A token bucket: `perSecond` on average, at most `burst` together. */
export class TokenBucket {
  #clock: Clock
  #perSecond: number
  #burst: number
  #left: number
  #atMs: number

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#burst = burst
    this.#left = burst
    this.#atMs = clock.now()
  }

  /** Nothing has been taken for so long that there is nothing to remember. */
  get isFull(): boolean {
    this.#refill()
    return this.#left >= this.#burst
  }

  /** Takes `count` tokens and returns 0 if they are available. Otherwise returns the milliseconds until they are. */
  take(count = 1): number {
    this.#refill()
    if (this.#left < count) return Math.min(longestWaitMs, Math.ceil(((count - this.#left) / this.#perSecond) * 1000))
    this.#left -= count
    return 0
  }

  /** Takes tokens even if there are too few. The rest is a debt, which is paid before anything else. */
  spend(count: number): void {
    this.#refill()
    this.#left -= count
  }

  /** Milliseconds until the debt is paid; 0 if there is none. */
  get debtMs(): number {
    this.#refill()
    if (this.#left >= 0) return 0
    return Math.min(longestWaitMs, Math.ceil((-this.#left / this.#perSecond) * 1000))
  }

  #refill(): void {
    const now = this.#clock.now()
    this.#left = Math.min(this.#burst, this.#left + (Math.max(0, now - this.#atMs) / 1000) * this.#perSecond)
    this.#atMs = now
  }
}
