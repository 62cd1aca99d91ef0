import type { Clock as ClientClock } from '@kith/client'
import type { Clock } from '@kith/server'
import { Standstill } from './standstill.ts'

interface Timer {
  dueAtMs: number
  everyMs: number | undefined
  task: () => void
  /** The process that owns the timer. Timers of a killed process never fire. */
  owner: object
}

/** Midnight UTC is some hours away, so that only a long history crosses it. */
const startMs = Date.UTC(2026, 0, 1, 12)

/** The one clock of the simulated world. It stands still until the world moves it. */
export class WorldClock {
  #nowMs = startMs
  #timers: Timer[] = []
  readonly #standstill: Standstill

  constructor(standstill: Standstill = new Standstill()) {
    this.#standstill = standstill
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** The clock as one process sees it. Its timers end with the process. */
  of(owner: object): Clock & ClientClock {
    const add = (delayMs: number, everyMs: number | undefined, task: () => void): (() => void) => {
      const timer = { dueAtMs: this.#nowMs + Math.max(0, delayMs), everyMs, task, owner }
      this.#timers.push(timer)
      return () => {
        this.#timers = this.#timers.filter(other => other !== timer)
      }
    }
    return {
      now: () => this.#nowMs,
      elapsed: () => this.#nowMs,
      after: (delayMs, task) => add(delayMs, undefined, task),
      every: (intervalMs, task) => add(intervalMs, intervalMs, task),
    }
  }

  kill(owner: object): void {
    this.#timers = this.#timers.filter(timer => timer.owner !== owner)
  }

  /**
   * Advances to the next timer that is due by then, and runs it. If there is none, advances to `untilMs` and returns `false`.
   */
  step(untilMs: number): boolean {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (this.#standstill.isOn(timer.owner)) continue // It is late, then.
      if (timer.dueAtMs <= untilMs && (!next || timer.dueAtMs < next.dueAtMs)) next = timer
    }
    if (!next) {
      this.#nowMs = Math.max(this.#nowMs, untilMs)
      return false
    }
    this.#nowMs = Math.max(this.#nowMs, next.dueAtMs)
    if (next.everyMs === undefined) this.#timers = this.#timers.filter(timer => timer !== next)
    else next.dueAtMs += next.everyMs
    next.task()
    return true
  }
}
