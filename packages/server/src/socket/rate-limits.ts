import type { Limits } from '@kith/shared'
import type { Clock } from '../clock.ts'
import { TokenBucket } from './token-bucket.ts'
import { TurnShare } from './turn-share.ts'

/** The rates of one user, over all devices [S3]. */
export interface UserRates {
  writes: TokenBucket
  messages: TokenBucket
  /** The server's work for the user. When it is used up, the user's frames wait. */
  work: TokenBucket
  /** The part of that work that is done in one turn of the event loop. */
  turn: TurnShare
}

/** Users' rates. They are remembered over reconnects until they are full again. */
export class RateLimits {
  #limits: Limits
  #clock: Clock
  #byUser = new Map<string, UserRates>()

  constructor(limits: Limits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  of(user: string): UserRates {
    const known = this.#byUser.get(user)
    if (known) return known
    const { writesPerSecond, writesBurst, messagesPerSecond, messagesBurst, workPerSecond, workBurst } = this.#limits
    const rates = {
      writes: new TokenBucket(this.#clock, writesPerSecond, writesBurst),
      messages: new TokenBucket(this.#clock, messagesPerSecond, messagesBurst),
      work: new TokenBucket(this.#clock, workPerSecond, workBurst),
      turn: new TurnShare(),
    }
    this.#byUser.set(user, rates)
    return rates
  }

  /** Forgets the rates of users who are no longer connected, once they are full again. */
  sweep(isHere: (user: string) => boolean): void {
    for (const [user, { writes, messages, work }] of this.#byUser) {
      if (!isHere(user) && writes.isFull && messages.isFull && work.isFull) this.#byUser.delete(user)
    }
  }
}
