import type { Clock } from '@kith/client'

/** A clock that stands still until a test moves it. */
export class MovedClock implements Clock {
  #now = Date.now()
  #offset = 0
  #tasks: { dueAt: number; task: () => void }[] = []

  now(): number {
    return this.#now + this.#offset
  }

  elapsed(): number {
    return this.#now
  }

  /** Somebody sets the machine's clock, so much forwards or back; no time passes. */
  set(byMs: number): void {
    this.#offset += byMs
  }

  /** Timers that are still to come: what has ended leaves none. */
  get taskCount(): number {
    return this.#tasks.length
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { dueAt: this.#now + delayMs, task }
    this.#tasks.push(entry)
    return () => {
      this.#tasks = this.#tasks.filter(other => other !== entry)
    }
  }

  /** Moves to what is due next, and runs that. */
  moveToNext(): void {
    this.move(Math.min(...this.#tasks.map(({ dueAt }) => dueAt)) - this.#now)
  }

  /** Runs what is due on the way, in order. */
  move(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const [next] = this.#tasks.filter(({ dueAt }) => dueAt <= until).sort((a, b) => a.dueAt - b.dueAt)
      if (!next) break
      this.#tasks = this.#tasks.filter(other => other !== next)
      this.#now = Math.max(this.#now, next.dueAt)
      next.task()
    }
    this.#now = until
  }
}
