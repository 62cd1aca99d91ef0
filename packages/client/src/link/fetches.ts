import type { DeviceMessage } from '@kith/shared/wire'
import type { Clock } from '../clock.ts'
import type { Pace } from './pace.ts'

/** How long `loaded` waits for the server, in milliseconds. */
const patienceMs = 10_000

export interface FetchesPort {
  readonly clock: Clock
  readonly pace: Pace
  send(message: DeviceMessage): void
  raiseBarrier(): Promise<boolean>
}

/** Whom this session was asked to show, each asked of the server once: it then keeps them up to date [V7]. */
export class Fetches {
  readonly #port: FetchesPort
  readonly #answers: Map<string, Promise<unknown>> = new Map()
  #next: Promise<unknown> | undefined

  constructor(port: FetchesPort) {
    this.#port = port
  }

  /** Resolves when the server has handed over what this owner shows, or when that takes too long. */
  async fetch(owner: string): Promise<void> {
    const answer = this.#answers.get(owner) ?? this.#ask(owner)
    this.#answers.set(owner, answer)
    let cancel: () => void = () => undefined
    const patience = new Promise<void>(resolve => {
      cancel = this.#port.clock.after(patienceMs, resolve)
    })
    await Promise.race([answer, patience])
    cancel()
  }

  /** Asks again, for one that the server would not show yet. */
  again(owner: string): void {
    if (this.#answers.has(owner)) this.#answers.set(owner, this.#ask(owner))
  }

  async #ask(owner: string): Promise<void> {
    await this.#port.pace.take()
    this.#port.send({ type: 'fetch', owner })
    // One barrier for all that are asked for in one go; when the session ends, waiting ends.
    this.#next ??= Promise.resolve()
      .then(() => {
        this.#next = undefined
        return this.#port.raiseBarrier()
      })
      .catch(() => undefined)
    await this.#next
  }
}
