import type { Clock } from '../clock.ts'
import { within } from '../timeout.ts'

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
    const over = new Promise<void>(resolve => this.#waiting.add(resolve))
    await within(
      this.#clock,
      patienceMs,
      () => over,
      () => undefined,
    )
  }

  end(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}
