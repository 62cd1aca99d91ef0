import type { Clock } from '../clock.ts'

/**
 * The server accepts 50 direct messages a second from one user, in bursts of at most 500 [S3], over all devices. This value
 * leaves room for other devices. If a server accepts fewer, its refusals lower this device's rate for a while.
 */
const defaultPerSecond = 40
/** The maximum burst, in seconds of the rate. */
const burstSeconds = 10
/**
 * How long a refusal counts, in milliseconds. Another device may have sent the messages, and another server may have another
 * limit.
 */
const refusalMs = 60_000
/** Tolerance for rounding errors: the sum of many small numbers may be slightly below a whole number. */
const rounding = 1e-6

/** A token bucket that keeps direct messages within the server's limit. */
export class MessageRate {
  readonly #clock: Clock
  #perSecond: number = defaultPerSecond
  #left: number = defaultPerSecond * burstSeconds
  #countedAt: number
  #heldUntil = 0
  #slowUntil = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#countedAt = clock.elapsed()
  }

  get perSecond(): number {
    return this.#perSecond
  }

  /** 0 when a message may be sent now; otherwise the delay in milliseconds. */
  get delayMs(): number {
    const nowMs = this.#clock.elapsed()
    const burst = Math.max(1, this.#perSecond * burstSeconds)
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#countedAt) / 1000) * this.#perSecond)
    this.#countedAt = nowMs
    if (nowMs >= this.#slowUntil) this.#perSecond = defaultPerSecond
    const shortMs = this.#left >= 1 - rounding ? 0 : ((1 - this.#left) / this.#perSecond) * 1000
    return Math.max(0, Math.ceil(Math.max(shortMs, this.#heldUntil - nowMs) - rounding))
  }

  /** Counts a sent message. */
  take(): void {
    this.#left--
  }

  /** The server refused a message, and accepts one after `retryAfterMs`, if no other device sends any. Counts for a minute. */
  refused(retryAfterMs: number): void {
    const nowMs = this.#clock.elapsed()
    this.#left = Math.min(this.#left, 0)
    this.#heldUntil = Math.max(this.#heldUntil, nowMs + Math.min(retryAfterMs, refusalMs))
    this.#slowUntil = nowMs + refusalMs
    this.#perSecond = Math.min(this.#perSecond, 1000 / Math.max(1, retryAfterMs))
  }
}
