import { KithError } from '@kith/shared'
import type { Clock, Randomness } from '../clock.ts'
import { backoffMs } from './backoff.ts'

/** Another token is tried at once, but not more often than this, in milliseconds: tokens may last a second only. */
const newTokenRestMs = 5_000

/** When a link tries again: more and more rarely, until a server has welcomed it and what failed has succeeded. */
export class Retries {
  readonly #clock: Clock
  readonly #randomness: Randomness
  #attempt = 0
  #hasTriedNewToken = false
  /** When another token was last tried at once, by `clock.elapsed()`. */
  #triedNewTokenAt = Number.NEGATIVE_INFINITY
  #isStorageFailing = false
  #isServerFailing = false

  constructor(clock: Clock, randomness: Randomness) {
    this.#clock = clock
    this.#randomness = randomness
  }

  /** Since a session was last in step, one ended because its frames could not be stored. */
  get isStorageFailing(): boolean {
    return this.#isStorageFailing
  }

  /** The app connects: the next wait is the shortest. */
  begin(): void {
    this.#attempt = 0
  }

  /** How long to wait before the next attempt. */
  delayMs(hintMs: number | undefined): number {
    const delayMs = backoffMs(this.#attempt, hintMs, this.#randomness)
    this.#attempt++
    return delayMs
  }

  /** Returns `undefined` if another token may be tried at once, which then counts as tried; else how long to wait at least. */
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

  /** A session is in step. */
  settled(): void {
    this.#isStorageFailing = false
    this.#isServerFailing = false
  }

  /** What a session stored or asked for failed with this. */
  failed(cause: unknown): void {
    if (cause instanceof KithError && cause.code === 'database-failed') this.#isStorageFailing = true
    else this.#isServerFailing = true
  }
}
