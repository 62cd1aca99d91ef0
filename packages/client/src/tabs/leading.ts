import { KithError } from '@kith/shared'
import type { DeviceStore } from '../database/store.ts'
import type { Delivery } from '../sync/port.ts'
import type { OwnLink } from './shared-link-port.ts'
import { steppedDown } from './stepped-down.ts'
import { type Answer, type Answered, type Asked, plainError, type Question, type Reply } from './tab-messages.ts'
import { beginTerm, readWish } from './wishes.ts'

interface LeadingPort {
  readonly store: DeviceStore
  readonly own: OwnLink
  /** This tab, from when it took over. */
  readonly term: string
  /** To all tabs, this one too. */
  post(message: Answered): void
  failed(error: unknown): KithError
}

/** A tab while it has the socket: its own connection, and what it does of what tabs ask. */
export class Leading {
  readonly own: OwnLink
  readonly #port: LeadingPort
  /** What it does for tabs that wait. */
  readonly #begun: Map<string, AbortController> = new Map()
  #isServing = false
  #isOver = false

  constructor(port: LeadingPort) {
    this.#port = port
    this.own = port.own
  }

  /** Resolves to whether the app wants to be connected, or to `undefined` when this is over. */
  async begin(): Promise<boolean | undefined> {
    const { store, term } = this.#port
    const isWanted = await store.use(db => beginTerm(db, term))
    return this.#isOver ? undefined : isWanted
  }

  /** Does what tabs ask, until this is over. */
  serve(): void {
    this.#isServing = true
    this.#port.post({ type: 'leading' })
  }

  hear(message: Asked): void {
    if (!this.#isServing || this.#isOver) return
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
        this.follow(await this.#port.store.use(readWish))
        return undefined
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

  /** Connects as the app wants it. */
  follow(isWanted: boolean): void {
    if (isWanted) this.own.connect()
    else this.own.disconnect()
  }

  async send(to: string, text: string, limitMs?: number): Promise<Delivery> {
    if (limitMs !== undefined && limitMs <= 0) return 'undelivered'
    try {
      return await this.own.send(to, text, limitMs)
    } catch (error) {
      if (error !== steppedDown) throw error
      return 'undelivered' // It was not handed to a socket.
    }
  }

  /** Leaves what was begun and not answered to the next holder. */
  stop(): void {
    this.#isOver = true
  }

  /** Does it once, and answers. */
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
      // The tab that asked gets the error; this tab reports nothing.
      return { error: plainError(error instanceof KithError ? error : this.#port.failed(error)) }
    }
  }
}
