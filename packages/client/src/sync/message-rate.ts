import type { Clock } from '../clock.ts'

/**
 * The server takes 50 direct messages a second from one user, and 500 at once [S3], over all devices: this leaves room for
 * other devices. A server may be set to take fewer; then its refusals teach this device.
 */
const defaultPerSecond = 40
/** How many seconds' worth may go at once. */
const burstSeconds = 10
/** What many small sums may lack of a whole. */
const rounding = 1e-6

/** A token bucket that keeps direct messages within what the server takes. */
export class MessageRate {
  readonly #clock: Clock
  #perSecond: number = defaultPerSecond
  #left: number = defaultPerSecond * burstSeconds
  #countedAt: number
  #heldUntil = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#countedAt = clock.elapsed()
  }

  get perSecond(): number {
    return this.#perSecond
  }

  /** 0 when a message may be sent now; else the milliseconds after which it may. */
  get delayMs(): number {
    const nowMs = this.#clock.elapsed()
    const burst = Math.max(1, this.#perSecond * burstSeconds)
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#countedAt) / 1000) * this.#perSecond)
    this.#countedAt = nowMs
    const shortMs = this.#left >= 1 - rounding ? 0 : ((1 - this.#left) / this.#perSecond) * 1000
    return Math.max(0, Math.ceil(Math.max(shortMs, this.#heldUntil - nowMs) - rounding))
  }

  /** A message is sent. */
  take(): void {
    this.#left--
  }

  /** The server refused a message, and will take one after `retryAfterMs`, if no other device sends any. */
  refused(retryAfterMs: number): void {
    this.#left = Math.min(this.#left, 0)
    this.#heldUntil = Math.max(this.#heldUntil, this.#clock.elapsed() + retryAfterMs)
    this.#perSecond = Math.min(this.#perSecond, 1000 / Math.max(1, retryAfterMs))
  }
}
