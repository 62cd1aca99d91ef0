import type { Clock } from '../clock.ts'

/** Where waiting never helps, as with a rate of 0: come back some day, limits change. */
const longestWaitMs = 24 * 60 * 60 * 1000

/** A token bucket: `perSecond` on average, `burst` at once. */
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

  /** 0 when so many more are within the limit; else the milliseconds after which they will be. */
  take(count = 1): number {
    this.#refill()
    if (this.#left < count) return Math.min(longestWaitMs, Math.ceil(((count - this.#left) / this.#perSecond) * 1000))
    this.#left -= count
    return 0
  }

  /** Takes more than is left, if need be: the rest is a debt, which is paid before anything else. */
  spend(count: number): void {
    this.#refill()
    this.#left -= count
  }

  /** Milliseconds until the debt is paid; 0 without one. */
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
