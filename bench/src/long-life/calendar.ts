import { type Clock, systemClock } from '@kith/server'

const dayMs = 86_400_000

/** The machine's time at another date. Days pass at once, and timers run as ever. */
export class Calendar implements Clock {
  #offsetMs: number
  readonly after: Clock['after'] = systemClock.after
  readonly every: Clock['every'] = systemClock.every

  /** Begins so many days ago, so that a life of as many days ends today. */
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
