import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { LastSeen } from '../relations/changes.ts'
import type { Store } from '../relations/store.ts'
import { Unwritable } from '../relations/unwritable.ts'
import type { PresenceElsewhere } from './elsewhere.ts'
import type { PresenceSubscriptions } from './subscriptions.ts'

/** A user who reconnects within this time was never away: a reload, or a change of networks. */
const graceMs = 10_000
/** Users whose grace period ends within this time are recorded in one commit. */
const gatheringMs = 1_000
/** The number of users in one commit. */
const mostNoted = 1_000

/** The time from a user's first device to the end of the grace period after the last one. */
interface Stay {
  sessions: number
  /** When the last device disconnected. */
  leftAtMs: number
}

/**
 * Which users are online, that is, have a device on this node that accepts Kith's messages. When the last device has
 * disconnected and the grace period is over, the moment of the disconnection is recorded on disk, and only then do watchers
 * receive it.
 */
export class Presence {
  readonly subscriptions: PresenceSubscriptions
  /** Absent if there are no other nodes. */
  readonly elsewhere: PresenceElsewhere | undefined
  #store: Store
  #clock: Clock
  #log: Logger
  #stays = new Map<string, Stay>()
  /** Users without a device, in the order of their disconnection. */
  #leaving = new Set<string>()
  #cancel: (() => void) | undefined
  #noted: Promise<void> = Promise.resolve()

  constructor({
    store,
    subscriptions,
    clock,
    log,
    elsewhere,
  }: {
    store: Store
    subscriptions: PresenceSubscriptions
    clock: Clock
    log: Logger
    elsewhere?: PresenceElsewhere | undefined
  }) {
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.subscriptions = subscriptions
    this.elsewhere = elsewhere
  }

  /** Users who have a device here, or had one until a moment ago. */
  get users(): Iterable<string> {
    return this.#stays.keys()
  }

  isOnline(user: string): boolean {
    return this.#stays.has(user)
  }

  /** A device of this user announced that it accepts Kith's messages. */
  came(user: string): void {
    const stay = this.#stays.get(user)
    this.#leaving.delete(user)
    if (stay) stay.sessions++
    else {
      this.#stays.set(user, { sessions: 1, leftAtMs: 0 })
      this.#stir(user)
    }
  }

  /** Such a device disconnected. */
  left(user: string): void {
    const stay = this.#stays.get(user)
    if (!stay || --stay.sessions > 0) return
    stay.leftAtMs = this.#clock.now()
    this.#leaving.add(user)
    this.#cancel ??= this.#clock.after(graceMs, () => this.#noteDue())
  }

  /** The account is erased. The next holder of its id counts as never having been online. */
  forget(user: string): void {
    this.#stays.delete(user)
    this.#leaving.delete(user)
    this.elsewhere?.stays.changed(user)
  }

  /** Handles users of a node that ended without signing off. Resolves to whether their last-seen times were recorded. */
  async died(users: readonly { user: string; atMs: number }[]): Promise<boolean> {
    for (let start = 0; start < users.length; start += mostNoted) {
      const some = users.slice(start, start + mostNoted)
      try {
        const seen = await Promise.all(some.map(one => this.#seenBefore(one)))
        if (!(await this.#write(seen.flat()))) return false
      } catch (error) {
        this.#log.warn({ err: error }, 'whether accounts of users of another node were erased could not be read')
        return false
      }
    }
    return true
  }

  /**
   * Another node may find the dead node late, when the id has another holder. The erasure revoked the former holder's tokens.
   * The account is read first, so an erasure after both reads is found by the commit.
   */
  async #seenBefore({ user, atMs }: { user: string; atMs: number }): Promise<LastSeen[]> {
    const { registeredAt } = await this.#store.user(user)
    const revocation = await this.#store.revocation(user)
    return atMs < revocation.atMs ? [] : [{ user, minute: Math.floor(atMs / 60_000), registeredAt }]
  }

  /** Users of a node that ended without signing off are offline. */
  parted(users: readonly string[]): void {
    this.elsewhere?.stirred(users)
    for (const user of users) this.subscriptions.stir(user)
  }

  /** No device is left here. Records when the last ones disconnected. */
  async close(): Promise<void> {
    this.#cancel?.()
    this.#note([...this.#leaving])
    await this.#noted
  }

  #noteDue(): void {
    const nowMs = this.#clock.now()
    const dueMs = nowMs - graceMs
    const due: string[] = []
    for (const user of this.#leaving) {
      const stay = this.#stays.get(user) as Stay
      // A disconnection cannot be in the future: the machine's clock was set back.
      stay.leftAtMs = Math.min(stay.leftAtMs, nowMs)
      if (stay.leftAtMs > dueMs) {
        this.#cancel = this.#clock.after(Math.max(gatheringMs, stay.leftAtMs - dueMs), () => this.#noteDue())
        return this.#note(due)
      }
      due.push(user)
    }
    this.#cancel = undefined
    this.#note(due)
  }

  #note(users: readonly string[]): void {
    for (const user of users) this.#leaving.delete(user)
    this.#noted = this.#noted.then(() => this.#noteEach(users))
  }

  async #noteEach(users: readonly string[]): Promise<void> {
    for (let start = 0; start < users.length; start += mostNoted) {
      const some = users.slice(start, start + mostNoted)
      const gone = this.elsewhere ? await this.#goneEverywhere(this.elsewhere, some) : some
      await this.#write(gone.flatMap(user => this.#lastSeen(user)))
      for (const user of some) this.#part(user)
    }
  }

  /** Returns the users who are online on no other node. If that cannot be read, their previous last-seen times remain. */
  async #goneEverywhere({ stays }: PresenceElsewhere, users: readonly string[]): Promise<readonly string[]> {
    try {
      const gone = await stays.leave(users)
      return users.filter(user => gone.has(user))
    } catch (error) {
      this.#log.warn({ err: error }, 'whether users are online on other nodes could not be read')
      return []
    }
  }

  /** If the write fails, the previous last-seen times remain. Resolves to whether they were written. */
  async #write(users: readonly LastSeen[]): Promise<boolean> {
    if (users.length === 0) return true
    try {
      await this.#store.commit({ type: 'seen', users })
      return true
    } catch (error) {
      // The store itself reports that changes are refused, once.
      if (!(error instanceof Unwritable))
        this.#log.warn({ err: error }, 'when users were last seen could not be written')
      return false
    }
  }

  #lastSeen(user: string): LastSeen[] {
    const stay = this.#stays.get(user)
    return stay ? [{ user, minute: Math.floor(stay.leftAtMs / 60_000) }] : []
  }

  /** The user may have reconnected during the write, and even disconnected again. */
  #part(user: string): void {
    if (this.#stays.get(user)?.sessions !== 0 || this.#leaving.has(user)) return this.elsewhere?.stays.changed(user)
    this.#stays.delete(user)
    this.#stir(user)
  }

  #stir(user: string): void {
    this.subscriptions.stir(user)
    this.elsewhere?.stays.changed(user)
  }
}
