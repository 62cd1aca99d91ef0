interface Timer {
  dueAtMs: number
  everyMs: number | undefined
  task: () => void
}

/**
 * A clock that stands still until a test moves it, for the `clock` of a server and of its devices. Tests with it do not wait,
 * and have the same result each time. A timer runs only inside {@link TestClock.move}.
 */
export class TestClock {
  #nowMs: number
  #offsetMs = 0
  #timers = new Set<Timer>()

  /** `startMs`: the time at the start, in milliseconds since 1970; by default noon of 1 January 2026, UTC. */
  constructor(startMs: number = Date.UTC(2026, 0, 1, 12)) {
    this.#nowMs = startMs
  }

  /** Returns milliseconds since 1970, as the machine's clock shows them after {@link TestClock.set}. */
  now(): number {
    return this.#nowMs + this.#offsetMs
  }

  /** Returns milliseconds that {@link TestClock.set} does not change. */
  elapsed(): number {
    return this.#nowMs
  }

  /** The number of timers that have not run yet. It is 0 after everything with timers has been closed. */
  get timerCount(): number {
    return this.#timers.size
  }

  /** Runs `task` once, in `delayMs` milliseconds. Returns a function that cancels it. */
  after(delayMs: number, task: () => void): () => void {
    return this.#add({ dueAtMs: this.#nowMs + delayMs, everyMs: undefined, task })
  }

  /** Runs `task` every `intervalMs` milliseconds. Returns a function that cancels it. */
  every(intervalMs: number, task: () => void): () => void {
    return this.#add({ dueAtMs: this.#nowMs + intervalMs, everyMs: intervalMs, task })
  }

  /** Advances the time by `ms` milliseconds. Runs the timers that become due, in order, each at its own time. */
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

  /** Advances to the time of the next timer, and runs the timers that are due then. Does nothing without a timer. */
  moveToNext(): void {
    const next = this.#next(Number.POSITIVE_INFINITY)
    if (next) this.move(next.dueAtMs - this.#nowMs)
  }

  /**
   * Advances the time by `ms` milliseconds, or moves it back if they are negative, and postpones every timer by as much. No
   * timer runs, so a day can pass without a day of heartbeats.
   */
  leap(ms: number): void {
    this.#nowMs += ms
    for (const timer of this.#timers) timer.dueAtMs += ms
  }

  /**
   * Sets the machine's clock forwards or back, as a user or a time server does. No time passes.
   *
   * @param byMs - The difference in milliseconds; negative to set it back.
   */
  set(byMs: number): void {
    this.#offsetMs += byMs
  }

  /** The first timer that is due by then. Of timers due at the same time, the one that was set first. */
  #next(untilMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueAtMs <= untilMs && (!first || timer.dueAtMs < first.dueAtMs)) first = timer
    }
    return first
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }
}
