import type { OpenTabChannel, TabChannel } from '@kith/client'
import type { Standstill } from './standstill.ts'

/** The broadcast channels of one device. The other tabs receive a message in a later turn, in order. */
export class Channels {
  readonly #standstill: Standstill
  readonly #ends = new Map<TabChannel, { process: object; name: string }>()

  constructor(standstill: Standstill) {
    this.#standstill = standstill
  }

  of(process: object): OpenTabChannel {
    return name => {
      const end: TabChannel = {
        onmessage: null,
        postMessage: message => this.#post(end, structuredClone(message)),
        close: () => void this.#ends.delete(end),
      }
      this.#ends.set(end, { process, name })
      return end
    }
  }

  kill(process: object): void {
    for (const [end, { process: owner }] of this.#ends) if (owner === process) this.#ends.delete(end)
  }

  #post(from: TabChannel, message: unknown): void {
    const name = this.#ends.get(from)?.name
    for (const [end, { process, name: other }] of this.#ends) {
      if (end === from || name !== other) continue
      const hear = (): void => {
        if (this.#ends.has(end)) end.onmessage?.({ data: message })
      }
      setImmediate(() => this.#standstill.run(process, hear))
    }
  }
}
