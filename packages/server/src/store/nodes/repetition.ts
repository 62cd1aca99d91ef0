import type { Clock } from '../../clock.ts'

/** The number of times that a batch of unknown outcome is sent. */
const attempts = 50
/**
 * A batch of unknown outcome is sent again for at most this time. One attempt may take 30 s (`postgres/open.ts`). The log,
 * which shows whether the batch was written, keeps it for ten minutes (`postgres/log-trimming.ts`).
 */
const repeatedMs = 60_000

/** Limits how often and how long one batch is sent. */
export class Repetition {
  readonly #clock: Clock
  /** When it began, by both clocks. */
  readonly #elapsedMs: number
  readonly #wallMs: number
  /** The attempts after the first. */
  #left = attempts - 1

  constructor(clock: Clock) {
    this.#clock = clock
    this.#elapsedMs = clock.elapsed()
    this.#wallMs = clock.now()
  }

  /** Takes one of the remaining attempts. Returns whether there was one. */
  takeAttempt(): boolean {
    return this.#left-- > 0 && !this.isLate()
  }

  /** Whether enough time has passed that the batch may have been trimmed from the log. */
  isLate(): boolean {
    const clock = this.#clock
    return Math.max(clock.elapsed() - this.#elapsedMs, clock.now() - this.#wallMs) >= repeatedMs
  }
}
