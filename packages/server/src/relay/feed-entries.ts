import { changedHands, type Relation } from '../relations/records.ts'
import type { Known } from '../relations/views.ts'
import { type Entry, type Follower, markStale, newEntry } from './entry.ts'
import type { FeedQueue } from './feed-queue.ts'
import type { Relay } from './relay.ts'

/** The state that one feed keeps for each owner, and which part of it is still valid. */
export class FeedEntries {
  /** The position at which the feed was opened. */
  openedAt = 0
  readonly #feed: Follower
  readonly #relay: Relay
  readonly #queue: FeedQueue
  readonly #byOwner: Map<string, Entry> = new Map()
  /**
   * Owners whose follows wait, where the device knows this and nothing else is known. They have no entry, since there can be
   * tens of thousands.
   */
  readonly #waiting: Set<string> = new Set()
  /** Counts the changes of many pairs. Data that was read in an earlier era is no longer valid. */
  #era = 0

  constructor(feed: Follower, relay: Relay, queue: FeedQueue) {
    this.#feed = feed
    this.#relay = relay
    this.#queue = queue
  }

  get(owner: string): Entry | undefined {
    return this.#byOwner.get(owner)
  }

  values(): Iterable<Entry> {
    return this.#byOwner.values()
  }

  /** Whether it is unknown what the device holds of this owner. Call this before an entry is made. */
  isNew(owner: string): boolean {
    return !this.#queue.takeFound(owner) && !this.#byOwner.has(owner)
  }

  /** Returns the entry of an owner. Creates it if there is none. */
  of(owner: string): Entry {
    const known = this.#byOwner.get(owner)
    if (known) return known
    const entry = newEntry(owner, this.#feed, this.openedAt)
    entry.sentWaiting = this.#waiting.delete(owner)
    this.#byOwner.set(owner, entry)
    this.#relay.addEntry(entry)
    return entry
  }

  /** Creates the entry of an owner for whom the device is up to date except for the levels in `stale`. */
  #install(owner: string, relation: Relation, stale: readonly number[]): void {
    const entry = this.of(owner)
    entry.sentLevels = relation.shown
    entry.sentWaiting = relation.isWaiting
    entry.sentHands = changedHands(relation.mySide)
    entry.isFollowed = relation.mine.isSubscribed
    entry.holderUpTo = this.openedAt
    this.noteChecked(entry)
    for (const level of stale) if (relation.shown.includes(level)) markStale(entry, level)
    if (entry.stale.size > 0) this.#queue.add(entry)
  }

  /** Adds a relation as it was when the feed began to open. Owners that changed since then already have an entry. */
  find({ owner, relation }: Known, since: number | undefined, changed: readonly number[]): void {
    if (this.#byOwner.has(owner)) return
    const isKept = relation.shown.length > 0 || changedHands(relation.mySide) !== ''
    if (since === undefined ? isKept || relation.isWaiting : relation.changedAt > since) this.#queue.addFound(owner)
    else if (isKept) this.#install(owner, relation, changed)
    else if (relation.isWaiting) this.#waiting.add(owner)
  }

  /** A level of an owner changed. It is read again if the device holds anything of the owner. */
  markStale(owner: string, level: number): void {
    const entry = this.#byOwner.get(owner)
    if (!entry) return
    markStale(entry, level)
    this.#queue.add(entry)
  }

  drop(entry: Entry, isWaiting: boolean): void {
    this.#byOwner.delete(entry.owner)
    this.#relay.removeEntry(entry)
    if (isWaiting) this.#waiting.add(entry.owner)
  }

  /** Invalidates everything that was read before. */
  beginEra(): void {
    this.#era++
  }

  noteChecked(entry: Entry): void {
    entry.isChecked = true
    entry.era = this.#era
  }

  /** Whether the data read about this owner is still valid: no commit has changed it since. */
  isChecked(entry: Entry): boolean {
    return entry.isChecked && entry.era === this.#era
  }

  clear(): void {
    for (const entry of this.#byOwner.values()) this.#relay.removeEntry(entry)
    this.#byOwner.clear()
    this.#waiting.clear()
  }
}
