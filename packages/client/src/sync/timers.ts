import type { Clock } from '../clock.ts'

/** The timers of one session, which end with it. */
export class Timers {
  readonly #clock: Clock
  readonly #cancels: Set<() => void> = new Set()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  after(delayMs: number, task: () => void): void {
    const cancel = this.#clock.after(delayMs, () => {
      this.#cancels.delete(cancel)
      task()
    })
    this.#cancels.add(cancel)
  }

  /** Resolves after this time; never, if the session ends first. */
  pause(ms: number): Promise<void> {
    return new Promise(resolve => this.after(ms, resolve))
  }

  end(): void {
    for (const cancel of this.#cancels) cancel()
  }
}
