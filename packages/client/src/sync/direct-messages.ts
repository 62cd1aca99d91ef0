import { KithError } from '@kith/shared'
import type { ClientMessage, Outcome } from '@kith/shared/wire'
import type { Clock, Randomness } from '../clock.ts'
import { newNonce } from '../nonce.ts'
import { MessageRate } from './message-rate.ts'
import type { Delivery } from './port.ts'

/** The timeout of `send`, in milliseconds. */
export const deliveryMs = 10_000

interface Sending {
  to: string
  text: string
  /** When `send` must have an outcome, by `clock.elapsed()`. */
  dueAt: number
  /** Passed to a socket, and not refused since: only the server knows the outcome. */
  isWritten: boolean
  end(outcome: Delivery | KithError): void
}

/**
 * Outgoing direct messages:
 *
 *   waiting   for a session, or for its turn in the server's rate limit; 'undelivered', or `too-many-messages`, at the timeout
 *   written   passed to a socket once; 'unconfirmed' if the session or the time ends before the server reports the outcome
 *
 * A message that the server refused because of its rate limit was not relayed, so it waits again. No other message is ever
 * sent twice.
 */
export class OutgoingMessages {
  readonly #clock: Clock
  readonly #randomness: Randomness
  readonly #rate: MessageRate
  readonly #sendings: Map<string, Sending> = new Map()
  #waiting = 0
  /** Sends a message on the open session. */
  #write: ((message: ClientMessage) => void) | undefined
  #cancelTurn: () => void = () => undefined

  constructor(clock: Clock, randomness: Randomness) {
    this.#clock = clock
    this.#randomness = randomness
    this.#rate = new MessageRate(clock)
  }

  /** Resolves or rejects within `limitMs`. */
  send(to: string, text: string, limitMs: number = deliveryMs): Promise<Delivery> {
    const id = newNonce(this.#randomness)
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(limitMs, () => this.#late(id))
      this.#waiting++
      this.#sendings.set(id, {
        ...{ to, text, dueAt: this.#clock.elapsed() + limitMs, isWritten: false },
        end: outcome => {
          cancel()
          if (!this.#sendings.get(id)?.isWritten) this.#waiting--
          this.#sendings.delete(id)
          if (outcome instanceof KithError) reject(outcome)
          else resolve(outcome)
        },
      })
    })
  }

  /** Sends the waiting messages, in the order of `send`, within the rate; the rest follows while the session lasts. */
  flush(write: (message: ClientMessage) => void): void {
    this.#write = write
    this.#takeTurn()
  }

  /** The session has ended. Messages that were written without an outcome may or may not have arrived. */
  interrupt(): void {
    this.#cancelTurn()
    this.#write = undefined
    for (const sending of [...this.#sendings.values()]) if (sending.isWritten) sending.end('unconfirmed')
  }

  outcome({ id, state, refusal }: Pick<Outcome, 'id' | 'state' | 'refusal'>): void {
    const sending = this.#sendings.get(id)
    if (!sending?.isWritten) return
    if (!refusal) return sending.end(state)
    const { code, retryAfterMs } = refusal
    if (code === 'too-many-messages') return this.#wait(sending, retryAfterMs)
    const retry = retryAfterMs > 0 ? { retryAfterMs } : {}
    sending.end(
      new KithError(code, `The server did not take the message: ${code}`, { ...retry, addresses: [sending.to] }),
    )
  }

  /** Ends all messages. Those that were never written reject with this error. */
  close(error: KithError): void {
    this.interrupt()
    for (const sending of [...this.#sendings.values()]) sending.end(error)
  }

  #takeTurn(): void {
    this.#cancelTurn()
    for (const [id, sending] of this.#sendings) {
      if (sending.isWritten) continue
      if (!this.#write) return
      const { delayMs } = this.#rate
      if (delayMs > 0) {
        this.#cancelTurn = this.#clock.after(delayMs, () => this.#takeTurn())
        return
      }
      this.#rate.take()
      this.#waiting--
      sending.isWritten = true
      this.#write({ type: 'sendMessage', id, to: sending.to, text: sending.text })
    }
  }

  /** The server's rate limit refused the message: it waits again, if its turn comes before its timeout. */
  #wait(sending: Sending, retryAfterMs: number): void {
    this.#rate.refused(retryAfterMs)
    this.#waiting++
    sending.isWritten = false
    if (this.#clock.elapsed() + retryAfterMs >= sending.dueAt) sending.end(tooMany(sending, retryAfterMs))
    this.#takeTurn()
  }

  #late(id: string): void {
    const sending = this.#sendings.get(id)
    if (!sending) return
    if (sending.isWritten) return sending.end('unconfirmed')
    if (!this.#write) return sending.end('undelivered')
    const { delayMs, perSecond } = this.#rate // With a session, only the rate limit holds a message back.
    // Messages that time out together get different hints, so that their retries do not come together.
    sending.end(tooMany(sending, Math.ceil(delayMs + (this.#waiting / perSecond) * 1000)))
  }
}

function tooMany({ to }: Sending, retryAfterMs: number): KithError {
  const message = 'More messages than the server takes: this one was not sent'
  return new KithError('too-many-messages', message, { retryAfterMs, addresses: [to] })
}
