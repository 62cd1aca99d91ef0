import type { Bus } from '../bus/bus.ts'
import { BusError } from '../bus/bus-error.ts'
import type { Letter } from '../bus/messages.ts'
import type { Stays } from '../presence/stays.ts'

/** Direct messages to and from users on other nodes. */
export class Letters {
  readonly #bus: Bus
  readonly #stays: Pick<Stays, 'nodesOf'>
  readonly #failed: (error: unknown) => void

  constructor({ bus, stays, failed }: { bus: Bus; stays: Pick<Stays, 'nodesOf'>; failed(error: unknown): void }) {
    this.#bus = bus
    this.#stays = stays
    this.#failed = failed
  }

  /** `deliver` resolves to whether a device on this node received the letter. */
  answer(deliver: (letter: Letter) => Promise<boolean>): void {
    this.#bus.answer('letter', async letter => ((await deliver(letter)) ? { type: 'taken' } : undefined))
  }

  /** Returns the other nodes on which the user is online. */
  nodesOf(user: string): Promise<readonly string[]> {
    return this.#stays.nodesOf(user)
  }

  /** Resolves to whether a device on that node received the letter in time. */
  async hand(node: string, letter: Letter, deadlineMs: number): Promise<boolean> {
    try {
      return (await this.#bus.request(node, letter, deadlineMs)).type === 'taken'
    } catch (error) {
      if (!(error instanceof BusError)) this.#failed(error)
      return false
    }
  }
}
