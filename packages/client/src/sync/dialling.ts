import type { Clock } from '../clock.ts'

/** How long `loaded` waits for a connection that is being made, in milliseconds. */
const patienceMs = 10_000

/** Those who wait for an attempt to connect. */
export class Dialling {
  readonly #clock: Clock
  readonly #waiting: Set<() => void> = new Set()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves when the attempt has come to something, or takes too long. */
  async over(): Promise<void> {
    await new Promise<void>(resolve => {
      const cancel = this.#clock.after(patienceMs, resolve)
      this.#waiting.add(() => {
        cancel()
        resolve()
      })
    })
  }

  end(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}
