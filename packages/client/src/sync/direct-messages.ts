import { KithError } from '@kith/shared'
import type { ClientMessage, Outcome } from '@kith/shared/wire'
import type { Clock, Randomness } from '../clock.ts'
import { newNonce } from '../nonce.ts'
import { MessageRate } from './message-rate.ts'
import type { Delivery } from './port.ts'

/** How long `send` takes at most, in milliseconds. */
export const deliveryMs = 10_000

interface Sending {
  to: string
  text: string
  /** When `send` must have an outcome, by `clock.elapsed()`. */
  dueAt: number
  /** Handed to a socket, and not refused since: what became of it is the server's to say. */
  isWritten: boolean
  end(outcome: Delivery | KithError): void
}

/**
 * Direct messages on their way out:
 *
 *   waiting   for a session, or for its turn within the server's rate; 'undelivered', or `too-many-messages`, when its time is up
 *   written   handed to a socket once; 'unconfirmed' when the session ends or the time is up before the server's outcome
 *
 * A message that the server refused because of its rate was not sent on, so it waits again. No other is ever sent twice.
 */
export class OutgoingMessages {
  readonly #clock: Clock
  readonly #randomness: Randomness
  readonly #rate: MessageRate
  readonly #sendings: Map<string, Sending> = new Map()
  #waiting = 0
  /** Sends on the open session. */
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

  /** Sends what waits, in the order of `send`, as far as the rate allows; the rest follows as long as the session lasts. */
  flush(write: (message: ClientMessage) => void): void {
    this.#write = write
    this.#takeTurn()
  }

  /** The session is over. What it was handed and not answered for may have arrived or not. */
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

  /** Ends all of them: what was never handed over with this error. */
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

  /** The server had no room for it: it waits for its turn again, if that comes in time. */
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
    const { delayMs, perSecond } = this.#rate // With a session nothing else holds a message back.
    // Of a crowd whose time is up together each gets another hint, so that it does not come back together.
    sending.end(tooMany(sending, Math.ceil(delayMs + (this.#waiting / perSecond) * 1000)))
  }
}

function tooMany({ to }: Sending, retryAfterMs: number): KithError {
  const message = 'More messages than the server takes: this one was not sent'
  return new KithError('too-many-messages', message, { retryAfterMs, addresses: [to] })
}
