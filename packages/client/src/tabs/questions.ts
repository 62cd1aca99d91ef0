import type { Clock } from '../clock.ts'
import { closed } from '../database/failure.ts'
import { deliveryMs } from '../sync/direct-messages.ts'
import { aborted } from '../sync/sync-waiters.ts'
import { type Answered, type Asked, errorFrom, type Question, type Reply } from './tab-messages.ts'

export interface QuestionsPort {
  readonly clock: Clock
  /** This tab's own name among the tabs. */
  readonly tab: string
  /** Fires when the client closes. */
  readonly closing: AbortSignal
  /** Sends to the tab that has the socket, if there is one now. */
  post(message: Asked): void
}

interface Pending {
  question: Question
  askedAt: number
  /** The message may have been sent, so no other tab may send it. */
  isGone: boolean
  resolve(reply: Reply): void
  reject(error: unknown): void
}

/** How much earlier the tab with the socket stops sending a message than the asking tab stops waiting, in milliseconds. */
const aheadMs = 1_000

/**
 * The unanswered questions of this tab to the tab that has the socket. A tab that takes over is asked again. So that no message
 * is sent twice, a message takes three steps: this tab asks, the tab with the socket says that it would send, and this tab
 * tells it to.
 */
export class Questions {
  readonly #port: QuestionsPort
  readonly #pending: Map<string, Pending> = new Map()
  #asked = 0

  constructor(port: QuestionsPort) {
    this.#port = port
  }

  /**
   * Resolves to the reply. When the signal fires, rejects with `aborted`, or for a message, resolves to its known outcome.
   * Rejects with `closed` when the client closes, unless a message may have been sent.
   */
  ask(question: Question, abort?: AbortSignal): Promise<Reply> {
    const { tab, clock, closing } = this.#port
    this.#asked++
    const id = `${tab}/${this.#asked}`
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        end()
        this.#port.post({ type: 'cancel', id })
        if (pending.isGone) resolve('unconfirmed')
        else if (closing.aborted) reject(closed())
        else if (question.type === 'send') resolve('undelivered')
        else reject(aborted(abort))
      }
      const end = (): void => {
        this.#pending.delete(id)
        closing.removeEventListener('abort', onAbort)
        abort?.removeEventListener('abort', onAbort)
      }
      const pending: Pending = {
        ...{ question, askedAt: clock.elapsed(), isGone: false },
        resolve: reply => {
          end()
          resolve(reply)
        },
        reject: error => {
          end()
          reject(error)
        },
      }
      if (closing.aborted || abort?.aborted) return onAbort()
      closing.addEventListener('abort', onAbort)
      abort?.addEventListener('abort', onAbort)
      this.#pending.set(id, pending)
      this.#port.post({ type: 'question', id, question })
    })
  }

  hear(message: Answered): void {
    if (message.type === 'leading') return this.#askAgain()
    const pending = this.#pending.get(message.id)
    if (!pending) return
    if (message.type === 'taken') this.#go(message.id, message.term, pending)
    else if ('error' in message.answer) pending.reject(errorFrom(message.answer.error))
    else pending.resolve(message.answer.reply)
  }

  /** Another tab has the socket. The previous one may have sent a message without reporting it. */
  #askAgain(): void {
    for (const [id, { question, isGone, resolve }] of [...this.#pending]) {
      if (isGone) resolve('unconfirmed')
      else this.#port.post({ type: 'question', id, question })
    }
  }

  #go(id: string, term: string, pending: Pending): void {
    const { question, isGone, askedAt } = pending
    if (question.type !== 'send' || isGone) return
    pending.isGone = true
    const leftMs = askedAt + deliveryMs - aheadMs - this.#port.clock.elapsed()
    this.#port.post({ ...question, type: 'go', id, term, leftMs })
  }
}
