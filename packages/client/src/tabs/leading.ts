import { KithError } from '@kith/shared'
import type { Clock, Randomness } from '../clock.ts'
import type { DeviceDatabase } from '../database/contract.ts'
import type { DeviceStore } from '../database/store.ts'
import { Signal } from '../signal.ts'
import { backoffMs } from '../sync/backoff.ts'
import type { Delivery } from '../sync/port.ts'
import { within } from '../timeout.ts'
import type { Lease } from './lease.ts'
import type { OwnLink } from './shared-link-port.ts'
import { steppedDown } from './stepped-down.ts'
import { type Answer, type Answered, type Asked, plainError, type Question, type Reply } from './tab-messages.ts'
import { beginTerm, readWish, storeWish } from './wishes.ts'

interface LeadingPort {
  readonly store: DeviceStore
  readonly clock: Clock
  readonly randomness: Randomness
  readonly lease: Lease
  readonly own: OwnLink
  /** The term of this tab, since it took over. */
  readonly term: string
  /** Sends to all tabs, including this one. */
  post(message: Answered): void
  failed(error: unknown): KithError
}

/** A tab that has the socket: its own connection, and the answers to the other tabs' questions. */
export class Leading {
  readonly own: OwnLink
  /** Until the term has begun, a connection could store nothing, and no question is answered. */
  isServing = false
  readonly #port: LeadingPort
  /** Unanswered questions of tabs. */
  readonly #begun: Map<string, AbortController> = new Map()
  /** Fires when storing that has failed may succeed now. */
  readonly #mayStore: Signal<[]> = new Signal()
  /** The last wish, if the asking tab could not store it. */
  #unstored: boolean | undefined
  #isOver = false

  constructor(port: LeadingPort) {
    this.#port = port
    this.own = port.own
  }

  /** Resolves to whether the app wants to be connected, or to `undefined` when this tab no longer leads. */
  async begin(): Promise<boolean | undefined> {
    const isWanted = await this.#untilStored(db => beginTerm(db, this.#port.term))
    return this.#isOver ? undefined : isWanted
  }

  /** Answers the questions of tabs until this tab no longer leads. */
  serve(): void {
    this.isServing = true
    this.#port.post({ type: 'leading' })
  }

  hear(message: Asked): void {
    if (!this.isServing || this.#isOver) return
    const { id } = message
    if (message.type === 'cancel') return this.#begun.get(id)?.abort()
    const { term } = this.#port
    if (message.type === 'go') {
      if (message.term === term) void this.#answer(id, () => this.send(message.to, message.text, message.leftMs))
    } else if (message.question.type === 'send') this.#port.post({ type: 'taken', id, term })
    else void this.#answer(id, signal => this.handle(message.question, signal))
  }

  async handle(question: Question, signal: AbortSignal | undefined): Promise<Reply> {
    switch (question.type) {
      case 'wish':
        return this.#followWish(question.isWanted)
      case 'fetch':
        await this.own.fetch(question.owner)
        return undefined
      case 'whenSynced':
        await this.own.whenSynced(signal)
        return undefined
      case 'send':
        return this.send(question.to, question.text)
    }
  }

  async send(to: string, text: string, limitMs?: number): Promise<Delivery> {
    if (limitMs !== undefined && limitMs <= 0) return 'undelivered'
    try {
      return await this.own.send(to, text, limitMs)
    } catch (error) {
      if (error !== steppedDown) throw error
      return 'undelivered' // It was not passed to a socket.
    }
  }

  /** Something was stored, so there may be room again. */
  wake(): void {
    this.#mayStore.emit()
    this.#mayStore.clear()
  }

  /** Leaves unanswered questions to the next leader. */
  stop(): void {
    this.#isOver = true
    this.wake()
  }

  /** Connects or disconnects, as the app wants. A wish that the asking tab could not store is stored later. */
  async #followWish(unstored: boolean | undefined): Promise<undefined> {
    this.#unstored = unstored
    const isWanted = unstored ?? (await this.#port.store.use(readWish))
    if (isWanted) this.own.connect()
    else this.own.disconnect()
    if (unstored === undefined) return
    void this.#untilStored(async db => (this.#unstored === isWanted ? storeWish(db, isWanted) : undefined))
  }

  /**
   * Repeats work that the storage refuses: after growing delays, and immediately after something was stored. Resolves to
   * `undefined` when this tab no longer leads.
   */
  async #untilStored<T>(work: (db: DeviceDatabase) => Promise<T>): Promise<T | undefined> {
    const { store, clock, randomness, lease, failed } = this.#port
    // A tab that was suspended during a delay must not write its term over that of the next leader.
    for (let attempt = 0; (await lease.verify()) && !this.#isOver; attempt++) {
      try {
        return await store.use(work)
      } catch (error) {
        if (this.#isOver) break
        failed(error)
        const room = new Promise<void>(resolve => this.#mayStore.on(resolve))
        await within(
          clock,
          backoffMs(attempt, undefined, randomness),
          () => room,
          () => undefined,
        )
      }
    }
    return undefined
  }

  /** Does the work once, and answers. */
  async #answer(id: string, work: (signal: AbortSignal) => Promise<Reply>): Promise<void> {
    if (this.#begun.has(id)) return
    const begun = new AbortController()
    this.#begun.set(id, begun)
    const answer = await this.#answerOf(work(begun.signal))
    this.#begun.delete(id)
    if (answer && !this.#isOver) this.#port.post({ type: 'answer', id, answer })
  }

  async #answerOf(work: Promise<Reply>): Promise<Answer | undefined> {
    try {
      return { reply: await work }
    } catch (error) {
      if (this.#isOver) return undefined
      // The asking tab gets the error; this tab reports nothing.
      return { error: plainError(error instanceof KithError ? error : this.#port.failed(error)) }
    }
  }
}
