import type { Clock } from '../clock.ts'
import type { StoredEvent } from '../relations/outbox.ts'

/** A failed event that is older than this is given up. */
const defaultGiveUpMs = 24 * 3_600_000
/**
 * An event is given up only if attempts have failed for this long in this process. The age of an event depends on the time of
 * day, which may be wrong, or the server may have been stopped for a day.
 */
const leastTrialMs = 3_600_000

/** Decides when an event that fails is given up. */
export class Patience {
  readonly #clock: Clock
  readonly #giveUpMs: number
  readonly #begunMs: number
  readonly #begunWallMs: number

  constructor(clock: Clock, giveUpMs: number = defaultGiveUpMs) {
    this.#clock = clock
    this.#giveUpMs = giveUpMs
    this.#begunMs = clock.elapsed()
    this.#begunWallMs = clock.now()
  }

  /** Whether attempts have failed for long enough to give up old events. */
  isOver(failingMs: number): boolean {
    return failingMs >= Math.min(leastTrialMs, this.#giveUpMs)
  }

  /** Whether the event is old. If the time of day was set ahead since the start, the time that really passed counts. */
  isOld({ event }: StoredEvent): boolean {
    const passedMs = this.#clock.elapsed() - this.#begunMs
    return Math.min(this.#clock.now(), this.#begunWallMs + passedMs) - event.atMs > this.#giveUpMs
  }
}
