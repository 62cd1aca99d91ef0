import type { Limits } from '@kith/shared'
import type { Clock } from '../clock.ts'
import { Rate } from './rate.ts'

/** What one user may send a second, over all their devices (S3). */
export interface UserRates {
  writes: Rate
  messages: Rate
}

/** Users' rates, remembered over reconnects for as long as they matter. */
export class Rates {
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
    const { writesPerSecond, writesBurst, messagesPerSecond, messagesBurst } = this.#limits
    const rates = {
      writes: new Rate(this.#clock, writesPerSecond, writesBurst),
      messages: new Rate(this.#clock, messagesPerSecond, messagesBurst),
    }
    this.#byUser.set(user, rates)
    return rates
  }

  /** Forgets those of users who have gone, once they are full again. */
  sweep(isHere: (user: string) => boolean): void {
    for (const [user, { writes, messages }] of this.#byUser) {
      if (!isHere(user) && writes.isFull && messages.isFull) this.#byUser.delete(user)
    }
  }
}
