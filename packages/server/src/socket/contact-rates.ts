import type { Limits } from '@kith/shared'
import type { Clock } from '../clock.ts'
import { allUsers } from '../relations/records.ts'
import type { CommitListener, Store } from '../relations/store.ts'
import { TokenBucket } from './token-bucket.ts'

/** The rate from one user to another. */
interface ContactRate {
  perMinute: number
  bucket: TokenBucket
}

/**
 * How many messages one user sends to one other: the backend's policy for the user, else its policy for all users, else the
 * server's limit. Nothing here depends on the recipient, so a refusal tells nothing of them [V8]. Counted by each node for
 * itself, as the other rates are.
 */
export class ContactRates {
  readonly #store: Pick<Store, 'user'>
  readonly #limits: Limits
  readonly #clock: Clock
  /** Policies as last read, by user; forgotten when a commit changes the user's record. */
  readonly #policies: Map<string, Promise<number | undefined>> = new Map()
  readonly #bySender: Map<string, Map<string, ContactRate>> = new Map()

  constructor(store: Pick<Store, 'user'>, limits: Limits, clock: Clock) {
    this.#store = store
    this.#limits = limits
    this.#clock = clock
  }

  readonly listener: CommitListener = {
    committed: commits => {
      for (const { subjects } of commits) for (const user of subjects) this.#policies.delete(user)
    },
    lost: () => this.#policies.clear(),
  }

  /** Counts a message. Resolves to how long to wait when there are too many, in milliseconds; else to 0. */
  async take(from: string, to: string): Promise<number> {
    if (from === to) return 0
    const [own, forAll] = await Promise.all([this.#policyOf(from), this.#policyOf(allUsers)])
    const perMinute = own ?? forAll ?? this.#limits.messagesPerContactPerMinute
    return perMinute === 0 ? 0 : this.#bucketOf(from, to, perMinute).take()
  }

  /** Forgets what is full again, and the policies of users who have gone. */
  sweep(isHere: (user: string) => boolean): void {
    for (const [sender, rates] of this.#bySender) {
      for (const [to, { bucket }] of rates) if (bucket.isFull) rates.delete(to)
      if (rates.size === 0) this.#bySender.delete(sender)
    }
    for (const user of this.#policies.keys()) if (!isHere(user)) this.#policies.delete(user)
  }

  #bucketOf(from: string, to: string, perMinute: number): TokenBucket {
    const rates = this.#bySender.get(from) ?? new Map<string, ContactRate>()
    this.#bySender.set(from, rates)
    const known = rates.get(to)
    if (known?.perMinute === perMinute) return known.bucket
    const bucket = new TokenBucket(this.#clock, perMinute / 60, perMinute)
    rates.set(to, { perMinute, bucket })
    return bucket
  }

  #policyOf(user: string): Promise<number | undefined> {
    const known = this.#policies.get(user)
    if (known) return known
    const read = this.#store.user(user).then(record => record.messagesPerContactPerMinute)
    this.#policies.set(user, read)
    read.catch(() => {
      if (this.#policies.get(user) === read) this.#policies.delete(user)
    })
    return read
  }
}
