import { changedHands, type Relation } from '../relations/records.ts'
import type { Known } from '../relations/views.ts'
import { type Entry, type Follower, markStale, newEntry } from './entry.ts'
import type { FeedQueue } from './feed-queue.ts'
import type { Relay } from './relay.ts'

/** What one feed knows of each owner, and which of it still counts. */
export class FeedEntries {
  /** The position at which the feed was opened. */
  openedAt = 0
  readonly #feed: Follower
  readonly #relay: Relay
  readonly #queue: FeedQueue
  readonly #byOwner: Map<string, Entry> = new Map()
  /** Owners whose follows wait, as the device knows, and nothing else: tens of thousands need no entry. */
  readonly #waiting: Set<string> = new Set()
  /** Counts the changes of many pairs: what was read in an earlier era counts no more. */
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

  /** Nothing is known of what the device holds of this owner. Asked before an entry is made. */
  isNew(owner: string): boolean {
    return !this.#queue.takeFound(owner) && !this.#byOwner.has(owner)
  }

  /** The entry of an owner, made if there is none. */
  of(owner: string): Entry {
    const known = this.#byOwner.get(owner)
    if (known) return known
    const entry = newEntry(owner, this.#feed, this.openedAt)
    entry.sentWaiting = this.#waiting.delete(owner)
    this.#byOwner.set(owner, entry)
    this.#relay.addEntry(entry)
    return entry
  }

  /** Makes the entry of an owner of whom the device has all but the levels in `stale`. */
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

  /** A relation as it stood when the feed began to open; changes since then have an entry already. */
  find({ owner, relation }: Known, since: number | undefined, changed: readonly number[]): void {
    if (this.#byOwner.has(owner)) return
    const isKept = relation.shown.length > 0 || changedHands(relation.mySide) !== ''
    if (since === undefined ? isKept || relation.isWaiting : relation.changedAt > since) this.#queue.addFound(owner)
    else if (isKept) this.#install(owner, relation, changed)
    else if (relation.isWaiting) this.#waiting.add(owner)
  }

  /** A level of an owner changed: it is read again, if the device has anything of the owner. */
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

  /** From now on nothing that was read before counts. */
  beginEra(): void {
    this.#era++
  }

  noteChecked(entry: Entry): void {
    entry.isChecked = true
    entry.era = this.#era
  }

  /** Whether what was read of this owner still counts: no commit has changed it since. */
  isChecked(entry: Entry): boolean {
    return entry.isChecked && entry.era === this.#era
  }

  clear(): void {
    for (const entry of this.#byOwner.values()) this.#relay.removeEntry(entry)
    this.#byOwner.clear()
    this.#waiting.clear()
  }
}
