import type { Clock } from '@kith/server'

interface Timer {
  dueAtMs: number
  everyMs: number | undefined
  task: () => void
}

/** The server's clock, standing still until a test moves it. */
export class TestClock implements Clock {
  #nowMs = Date.now()
  #offsetMs = 0
  #timers = new Set<Timer>()

  now(): number {
    return this.#nowMs + this.#offsetMs
  }

  elapsed(): number {
    return this.#nowMs
  }

  /** Somebody sets the machine's clock, so much forwards or back; no time passes. */
  set(byMs: number): void {
    this.#offsetMs += byMs
  }

  /** Timers that are still to come: what has ended leaves none. */
  get timerCount(): number {
    return this.#timers.size
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#add({ dueAtMs: this.#nowMs + delayMs, everyMs: undefined, task })
  }

  every(intervalMs: number, task: () => void): () => void {
    return this.#add({ dueAtMs: this.#nowMs + intervalMs, everyMs: intervalMs, task })
  }

  /** Runs what falls due on the way, in its order. */
  move(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (let next = this.#next(untilMs); next; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueAtMs)
      if (next.everyMs === undefined) this.#timers.delete(next)
      else next.dueAtMs += next.everyMs
      next.task()
    }
    this.#nowMs = untilMs
  }

  /** Time passes, or goes back, and no timer notices: else devices would miss one heartbeat after another. */
  leap(ms: number): void {
    this.#nowMs += ms
    for (const timer of this.#timers) timer.dueAtMs += ms
  }

  #next(untilMs: number): Timer | undefined {
    const due = [...this.#timers].filter(({ dueAtMs }) => dueAtMs <= untilMs)
    return due.sort((a, b) => a.dueAtMs - b.dueAtMs)[0]
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }
}
