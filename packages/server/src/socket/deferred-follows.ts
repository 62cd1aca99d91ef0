import { maxFailureAddresses, type ServerMessage } from '@kith/shared/wire'
import { lookupDelayMs, lookupsLeft } from '../relations/follow-budget.ts'
import type { UserRecord } from '../relations/records.ts'
import type { Context } from './context.ts'
import { forRelations } from './cost.ts'

/** A longer wait is left to the next connection. Timers of a much longer time would fire immediately. */
const longestWaitMs = 24 * 60 * 60 * 1000

/** The budget may have refilled since it was used up. Not immediately, because nothing is served while changes are refused. */
const shortestWaitMs = 1_000

interface Device {
  readonly user: string
  readonly context: Context
  readonly feed: unknown
  say(message: ServerMessage): void
  fail(error: unknown): void
  charge(units: number): void
}

/** Follows beyond a limit wait. The device receives their number and the time to wait [S3][S4]. */
export class DeferredFollows {
  #device: Device
  #told = 0
  #cancelRetry: () => void = () => undefined
  #hasEnded = false

  constructor(device: Device) {
    this.#device = device
  }

  /** After a commit: sends the number of waiting follows, if it has grown. */
  check(): void {
    if (this.#device.feed) this.#check().catch((error: unknown) => this.#device.fail(error))
  }

  /** Serves the waiting follows that can be served now. */
  async promote(): Promise<void> {
    const { user, context } = this.#device
    const { store, limits } = context
    const { waiting, follows } = await store.user(user)
    // While changes are refused, they continue to wait, for the next hour or connection.
    if (waiting > 0 && follows < limits.follows && !store.refusal) {
      this.#device.charge(forRelations(waiting))
      await store.commit({ type: 'promote', user })
    }
    await this.#check()
  }

  /** Called from time to time, for a device that stays connected. */
  retry(): void {
    if (this.#told > 0) this.promote().catch((error: unknown) => this.#device.fail(error))
  }

  /** The session is over. Work in progress starts no new wait. */
  end(): void {
    this.#hasEnded = true
    this.#cancelRetry()
  }

  async #check(): Promise<void> {
    const { user, context } = this.#device
    const record = await context.store.user(user)
    const isMore = record.waiting > this.#told
    this.#told = record.waiting
    this.#retryWhenDue(record)
    if (!isMore) return
    this.#device.say({
      type: 'failure',
      ...this.#reason(record),
      count: record.waiting,
      addresses: await this.#firstWaiting(),
    })
  }

  async #firstWaiting(): Promise<string[]> {
    const { user, context } = this.#device
    const owners: string[] = []
    for await (const { relations } of context.store.relationsOf(user)) {
      for (const { owner, relation } of relations) if (relation.isWaiting) owners.push(owner)
      if (owners.length >= maxFailureAddresses) break
    }
    return owners.slice(0, maxFailureAddresses)
  }

  /**
   * Serves them as the budget refills: all of them together if that is soon, otherwise as many at a time as an hour refills.
   */
  #retryWhenDue(record: UserRecord): void {
    const { clock, limits } = this.#device.context
    this.#cancelRetry()
    if (this.#hasEnded || record.waiting === 0 || record.follows >= limits.follows) return
    const turn = Math.min(record.waiting, Math.max(1, Math.floor(limits.lookupsPerDay / 24)))
    const delayMs = lookupDelayMs(record, clock.now(), turn, limits)
    if (delayMs > longestWaitMs) return
    this.#cancelRetry = clock.after(Math.max(shortestWaitMs, delayMs), () => this.retry())
  }

  #reason(record: UserRecord): { code: 'too-many-follows' | 'discovery-limit'; retryAfterMs: number } {
    const { clock, limits } = this.#device.context
    if (record.follows >= limits.follows && lookupsLeft(record, clock.now(), limits) >= 1) {
      return { code: 'too-many-follows', retryAfterMs: 0 }
    }
    return { code: 'discovery-limit', retryAfterMs: lookupDelayMs(record, clock.now(), record.waiting, limits) }
  }
}
