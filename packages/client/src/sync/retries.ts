import { KithError } from '@kith/shared'
import type { Clock, Randomness } from '../clock.ts'
import { backoffMs } from './backoff.ts'

/** The minimum time between two immediate attempts with a new token, in milliseconds: tokens may last only a second. */
const newTokenRestMs = 5_000

/** When to reconnect: the delay grows until a server has welcomed this device, and whatever failed has succeeded. */
export class Retries {
  readonly #clock: Clock
  readonly #randomness: Randomness
  #attempt = 0
  #hasTriedNewToken = false
  /** The time of the last immediate attempt with a new token, by `clock.elapsed()`. */
  #triedNewTokenAt = Number.NEGATIVE_INFINITY
  #isStorageFailing = false
  #isServerFailing = false

  constructor(clock: Clock, randomness: Randomness) {
    this.#clock = clock
    this.#randomness = randomness
  }

  /** Whether a session ended because its frames could not be stored, and none was in sync since. */
  get isStorageFailing(): boolean {
    return this.#isStorageFailing
  }

  /** The app connects: the next delay is the shortest. */
  begin(): void {
    this.#attempt = 0
  }

  /** Returns the delay before the next attempt. */
  delayMs(hintMs: number | undefined): number {
    const delayMs = backoffMs(this.#attempt, hintMs, this.#randomness)
    this.#attempt++
    return delayMs
  }

  /** Returns `undefined` if a new token may be tried immediately, and counts that attempt; otherwise the minimum delay. */
  newTokenDelayMs(): number | undefined {
    const restMs = this.#triedNewTokenAt + newTokenRestMs - this.#clock.elapsed()
    if (this.#hasTriedNewToken || restMs > 0) return Math.max(0, restMs)
    this.#hasTriedNewToken = true
    this.#triedNewTokenAt = this.#clock.elapsed()
    return undefined
  }

  welcomed(): void {
    if (!this.#isStorageFailing && !this.#isServerFailing) this.#attempt = 0
    this.#hasTriedNewToken = false
  }

  /** A session is in sync. */
  settled(): void {
    this.#isStorageFailing = false
    this.#isServerFailing = false
  }

  /** An operation of a session failed with this error: storing, or a request to the server. */
  failed(cause: unknown): void {
    if (cause instanceof KithError && cause.code === 'database-failed') this.#isStorageFailing = true
    else this.#isServerFailing = true
  }
}
