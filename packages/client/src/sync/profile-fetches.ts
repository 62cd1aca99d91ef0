import type { ClientMessage } from '@kith/shared/wire'
import type { Clock } from '../clock.ts'
import { within } from '../timeout.ts'
import type { RateLimiter } from './rate-limiter.ts'

/** How long `loaded` waits for the server, in milliseconds. */
const patienceMs = 10_000

export interface FetchesPort {
  readonly clock: Clock
  readonly pace: RateLimiter
  /** The server knows this user by now. It shows nothing to a user who is not registered yet [F3]. */
  readonly introduced: Promise<void>
  send(message: ClientMessage): void
  raiseBarrier(): Promise<boolean>
}

interface Answer {
  isSent: boolean
  isAnswered: boolean
  /** Resolves when the server has answered, and what it handed over with that is stored: whether that is anything. */
  done: Promise<boolean>
  answered(isShown: boolean): void
}

/** Whom this session was asked to show, each asked of the server once: it then keeps them up to date [V7]. */
export class ProfileFetches {
  readonly #port: FetchesPort
  readonly #answers: Map<string, Answer> = new Map()
  readonly #pendingAgain: Map<string, Promise<boolean>> = new Map()
  #barrier: Promise<boolean> | undefined

  constructor(port: FetchesPort) {
    this.#port = port
  }

  /** Resolves when the server has handed over what this owner shows, or when that takes too long. */
  async fetch(owner: string): Promise<void> {
    const answer = this.#answers.get(owner) ?? this.#ask(owner)
    await this.#patiently(answer.done)
  }

  /** This owner was asked for in another way. */
  sent(owner: string): void {
    this.#expect(owner).isSent = true
  }

  /**
   * Asks again, also if this session has asked before; once until the server answers. Whether what it handed over
   * is stored: `false` when that is nothing, the session ended, or the same was under way already.
   */
  async again(owner: string): Promise<boolean> {
    if (this.#pendingAgain.has(owner)) return false
    const { done } = this.#ask(owner)
    this.#pendingAgain.set(owner, done)
    const isHandedOver = await done
    this.#pendingAgain.delete(owner)
    return isHandedOver
  }

  /** Resolves when all that was asked again has been answered, or when that takes too long. */
  async answeredAgain(): Promise<void> {
    if (this.#pendingAgain.size > 0) await this.#patiently(Promise.all(this.#pendingAgain.values()))
  }

  /**
   * The server said what this viewer gets of an owner, or why it says nothing. If that is nothing any more, it may have
   * ended what was asked, as when a follow ends: the next access asks again.
   */
  answered(owner: string, isShown: boolean): void {
    const answer = this.#answers.get(owner)
    if (!answer?.isSent) return
    if (answer.isAnswered && !isShown) this.#answers.delete(owner)
    answer.answered(isShown)
  }

  end(): void {
    for (const answer of this.#answers.values()) answer.answered(false)
  }

  async #patiently(answer: Promise<unknown>): Promise<void> {
    await within<unknown>(
      this.#port.clock,
      patienceMs,
      () => answer,
      () => undefined,
    )
  }

  #ask(owner: string): Answer {
    const answer = this.#expect(owner)
    void this.#port.introduced
      .then(() => this.#port.pace.take(1))
      .then(() => {
        answer.isSent = true
        this.#port.send({ type: 'fetch', owner })
      })
    return answer
  }

  #expect(owner: string): Answer {
    let answered: (isShown: boolean) => void = () => undefined
    const said = new Promise<boolean>(resolve => {
      answered = resolve
    })
    // The fields follow upon the answer, and a barrier upon them.
    const answer: Answer = {
      isSent: false,
      isAnswered: false,
      done: said.then(async isShown => (await this.#handedOver()) && isShown),
      answered: isShown => {
        answer.isAnswered = true
        answered(isShown)
      },
    }
    this.#answers.set(owner, answer)
    return answer
  }

  /** One barrier for all that were answered in one go. When the session ends, waiting ends: `false`. */
  #handedOver(): Promise<boolean> {
    this.#barrier ??= Promise.resolve()
      .then(async () => {
        this.#barrier = undefined
        await this.#port.raiseBarrier()
        return true
      })
      .catch(() => false)
    return this.#barrier
  }
}
