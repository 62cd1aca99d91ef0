import { KithError } from '@kith/shared'
import type { ClientMessage, Outcome } from '@kith/shared/wire'
import type { Clock, Randomness } from '../clock.ts'
import { newNonce } from '../nonce.ts'
import type { Delivery } from './port.ts'

/** How long `send` waits in all, in milliseconds. */
const patienceMs = 10_000

interface Sending {
  to: string
  text: string
  isSent: boolean
  end(outcome: Delivery | KithError): void
}

/** Direct messages on their way out. They wait a while for a connection, and are never sent twice. */
export class OutgoingMessages {
  readonly #clock: Clock
  readonly #randomness: Randomness
  readonly #sendings: Map<string, Sending> = new Map()

  constructor(clock: Clock, randomness: Randomness) {
    this.#clock = clock
    this.#randomness = randomness
  }

  send(to: string, text: string): Promise<Delivery> {
    const id = newNonce(this.#randomness)
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(patienceMs, () => this.outcome({ id, state: 'undelivered' }))
      this.#sendings.set(id, {
        to,
        text,
        isSent: false,
        end: outcome => {
          cancel()
          this.#sendings.delete(id)
          if (outcome instanceof KithError) reject(outcome)
          else resolve(outcome)
        },
      })
    })
  }

  /** Sends what was not sent yet. */
  flush(send: (message: ClientMessage) => void): void {
    for (const [id, sending] of this.#sendings) {
      if (sending.isSent) continue
      sending.isSent = true
      send({ type: 'sendMessage', id, to: sending.to, text: sending.text })
    }
  }

  outcome({ id, state, refusal }: Pick<Outcome, 'id' | 'state' | 'refusal'>): void {
    const sending = this.#sendings.get(id)
    if (!refusal) return sending?.end(state)
    const { code, retryAfterMs } = refusal
    const retry = retryAfterMs > 0 ? { retryAfterMs } : {}
    sending?.end(new KithError(code, 'The server did not take the message', { ...retry, addresses: [sending.to] }))
  }

  close(): void {
    const closed = new KithError('closed', 'This client was closed')
    for (const sending of this.#sendings.values()) sending.end(closed)
  }
}
