import type { LeaseClock } from '../../clock.ts'

/** How often a batch of unknown outcome is sent. */
const attempts = 50
/**
 * A batch of unknown outcome is sent again for at most this long; one attempt may take 30 s (`postgres/open.ts`). The log, which
 * tells whether it was written, keeps a batch for ten minutes (`postgres/log-trimming.ts`).
 */
const repeatedMs = 60_000

/** How often and how long one batch is sent. */
export class Repetition {
  readonly #clock: LeaseClock
  /** When it began, by both clocks. */
  readonly #elapsedMs: number
  readonly #wallMs: number
  /** Without the first. */
  #left = attempts - 1

  constructor(clock: LeaseClock) {
    this.#clock = clock
    this.#elapsedMs = clock.elapsed()
    this.#wallMs = clock.now()
  }

  /** Takes one of the attempts that are left. Returns whether there was one. */
  takeAttempt(): boolean {
    return this.#left-- > 0 && !this.isLate()
  }

  /** Whether so much time has passed that the log may have forgotten the batch. */
  isLate(): boolean {
    const clock = this.#clock
    return Math.max(clock.elapsed() - this.#elapsedMs, clock.now() - this.#wallMs) >= repeatedMs
  }
}
