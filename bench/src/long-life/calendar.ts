import { type Clock, systemClock } from '@kith/server'

const dayMs = 86_400_000

/** The machine's time, moved to another date. Days pass immediately, and timers run as usual. */
export class Calendar implements Clock {
  #offsetMs: number
  readonly after: Clock['after'] = systemClock.after
  readonly every: Clock['every'] = systemClock.every

  /** Begins this many days ago, so that a life of the same number of days ends today. */
  constructor(daysAgo: number) {
    this.#offsetMs = -daysAgo * dayMs
  }

  now(): number {
    return systemClock.now() + this.#offsetMs
  }

  elapsed(): number {
    return performance.now()
  }

  passDay(): void {
    this.#offsetMs += dayMs
  }
}
