import type { ClientMessage } from '@kith/shared/wire'
import type { Clock } from '../clock.ts'
import { within } from '../timeout.ts'
import type { RateLimiter } from './rate-limiter.ts'

/** How long `loaded` waits for the server, in milliseconds. */
const patienceMs = 10_000

export interface FetchesPort {
  readonly clock: Clock
  readonly pace: RateLimiter
  /** Resolves when the server knows this user. It shows nothing to a user who is not registered yet [F3]. */
  readonly introduced: Promise<void>
  send(message: ClientMessage): void
  raiseBarrier(): Promise<boolean>
}

interface Answer {
  isSent: boolean
  isAnswered: boolean
  /** Resolves when the server has answered and its data is stored, to whether there was any. */
  done: Promise<boolean>
  answered(isShown: boolean): void
}

/** The owners whose profiles this session fetched. Each is fetched once; the server then keeps the profile up to date [V7]. */
export class ProfileFetches {
  readonly #port: FetchesPort
  readonly #answers: Map<string, Answer> = new Map()
  readonly #pendingAgain: Map<string, Promise<boolean>> = new Map()
  #barrier: Promise<boolean> | undefined

  constructor(port: FetchesPort) {
    this.#port = port
  }

  /** Resolves when the server has handed over this owner's visible profile, or at the timeout. */
  async fetch(owner: string): Promise<void> {
    const answer = this.#answers.get(owner) ?? this.#ask(owner)
    await this.#patiently(answer.done)
  }

  /** Another message has already requested this owner's profile. */
  sent(owner: string): void {
    this.#expect(owner).isSent = true
  }

  /**
   * Fetches again, even if this session has fetched the profile before; once until the server answers. Resolves to whether the
   * server's data is stored: `false` if there was none, the session ended, or such a fetch was already pending.
   */
  async again(owner: string): Promise<boolean> {
    if (this.#pendingAgain.has(owner)) return false
    const { done } = this.#ask(owner)
    this.#pendingAgain.set(owner, done)
    const isHandedOver = await done
    this.#pendingAgain.delete(owner)
    return isHandedOver
  }

  /** Resolves when all repeated fetches have been answered, or at the timeout. */
  async answeredAgain(): Promise<void> {
    if (this.#pendingAgain.size > 0) await this.#patiently(Promise.all(this.#pendingAgain.values()))
  }

  /**
   * The server said which levels of an owner this viewer gets, or why it gets none. If a later answer shows nothing, the server
   * may have ended the fetch, as at the end of a follow; the next access then fetches again.
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
    // The fields arrive after the answer, and the acknowledgement of a barrier after the fields.
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

  /** Raises one barrier for all answers that arrived together. Resolves to `false` when the session ends. */
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
