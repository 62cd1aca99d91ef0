import { saysNothing } from '../relations/records.ts'
import { visibleLevels } from '../relations/standing.ts'
import type { Store } from '../relations/store.ts'
import type { View } from '../relations/views.ts'
import { changedLevels } from './changed-levels.ts'
import { type Entry, type Follower, markStale, type Offer, stepsOfRecheck } from './entry.ts'
import { FeedCursor } from './feed-cursor.ts'
import { FeedEntries } from './feed-entries.ts'
import { FeedQueue } from './feed-queue.ts'
import { HandOver, type Outlet } from './hand-over.ts'
import type { LevelFrames } from './level-frames.ts'
import { levelsFor } from './plan.ts'
import type { Relay } from './relay.ts'

/**
 * The updates about other users that one session receives.
 *
 *   new       nothing is sent yet; owners that the device fetches are remembered
 *   opening   the viewer's relations are read; commits are recorded
 *   open      a committed level is sent as it is, if the device has everything else; otherwise the owner is queued by name [F2]
 *   closed
 */
export class Feed implements Follower {
  readonly user: string
  readonly #relay: Relay
  readonly #store: Store
  readonly #queue = new FeedQueue()
  readonly #entries: FeedEntries
  readonly #cursor: FeedCursor
  #state: 'new' | 'opening' | 'open' | 'closed' = 'new'
  readonly #handOver: HandOver
  readonly #outlet: Outlet
  #changedWhileOpening: { owner: string; level: number }[] = []
  #fetchedEarly: string[] = []
  #relations = 0
  /** The device accepts a level as a difference if it holds the base of the difference. */
  readonly #takesDifferences: boolean

  constructor(user: string, relay: Relay, outlet: Outlet, maxOutstandingBytes: number, takesDifferences = false) {
    this.user = user
    this.#takesDifferences = takesDifferences
    this.#relay = relay
    this.#store = relay.store
    this.#outlet = outlet
    this.#cursor = new FeedCursor(relay.cursors)
    this.#entries = new FeedEntries(this, relay, this.#queue)
    this.#handOver = new HandOver({
      ...{ user, relay, outlet, maxOutstandingBytes },
      ...{ queue: this.#queue, entries: this.#entries, cursor: this.#cursor },
      entry: owner => this.#entries.of(owner),
      recheck: (owner, position) => this.recheck(owner, position),
    })
  }

  /**
   * Returns the position of this cursor in `since`. If the cursor is unusable, `since` is `undefined` and the device gets
   * everything again.
   */
  async resume(cursor: Uint8Array): Promise<{ since: number | undefined }> {
    return { since: this.#relay.cursors.positionOf(cursor, await this.#store.oldestCursor()) }
  }

  /**
   * Finds the changes since a position (`undefined`: everything is new) and starts to send them. Commits are recorded before
   * the relations are read, so no change is missed.
   */
  async open(since: number | undefined): Promise<void> {
    // The session may have ended while its cursor was checked. It must not be opened again.
    if (this.#isClosed()) return
    this.#state = 'opening'
    this.#relay.beginOpening(this)
    this.#entries.openedAt = since ?? this.#store.position
    for (const owner of this.#fetchedEarly.splice(0)) this.fetch(owner)
    const among = await this.#relay.changedSince(this.#entries.openedAt)
    let readUpTo = 0
    for await (const { at, relations } of this.#store.relationsOf(this.user)) {
      const changed = since === undefined ? undefined : await changedLevels(this.#store, since, among, relations)
      if (this.#isClosed()) return
      for (const { relation } of relations) if (!saysNothing(relation.mySide.said)) this.#relations++
      for (const one of relations) this.#entries.find(one, since, changed?.get(one.owner) ?? [])
      readUpTo = at
    }
    // The relations may have been read ahead of the reported position. The feed opens when that position has been reported.
    await this.#relay.reads.reported(readUpTo)
    this.#relay.endOpening(this)
    if (this.#isClosed()) return
    this.#state = 'open'
    for (const { owner, level } of this.#changedWhileOpening) this.#entries.markStale(owner, level)
    this.#changedWhileOpening = []
    this.#handOver.start(since !== undefined)
  }

  /**
   * The number of users that the viewer's own roster mentions. Entries about the viewer in others' rosters do not count [V10].
   */
  get relations(): number {
    return this.#relations
  }

  /** This pair changed at this position. Nothing more is handed over until the pair has been read again. */
  recheck(owner: string, position: number): void {
    if (this.#state === 'new' || this.#state === 'closed') return
    const isNew = this.#entries.isNew(owner)
    const entry = this.#entries.of(owner)
    // While the feed is opening, it is not known what the device holds. Later, the device holds nothing of an owner without an
    // entry.
    if (isNew && this.#state === 'open') {
      entry.sentLevels = []
      entry.joinSentAt = position - 1
    }
    this.#ask(entry)
  }

  /**
   * Many pairs changed. All entries count as unread immediately [V4]. The entries of these owners are created and read when the
   * device is ready for them.
   */
  *recheckMany(owners: readonly string[], position: number): Iterable<number> {
    if (this.#state !== 'open') {
      for (const owner of owners) {
        this.recheck(owner, position)
        yield stepsOfRecheck
      }
      return
    }
    this.#entries.beginEra()
    this.#queue.addMany(owners, position)
    // Includes owners of whom nothing may be seen. Otherwise their next change would be read, and that takes time that the
    // viewer can measure [V10].
    this.recheckFetched(position)
    this.#handOver.pump()
  }

  /** The viewer's own standing changed. */
  recheckFetched(position: number): void {
    for (const entry of this.#entries.values()) if (entry.isFetched) this.recheck(entry.owner, position)
  }

  /** Level 0 of this owner changed for strangers. Ignored for a viewer who does not see what strangers see. */
  recheckStranger(entry: Entry, position: number): void {
    if (entry.isFetched && (entry.isOpen || !this.#entries.isChecked(entry))) this.recheck(entry.owner, position)
  }

  /** The device accesses a profile. It gets the owner's updates until this session ends [V7]. */
  fetch(owner: string): void {
    if (this.#isClosed()) return
    if (this.#state === 'new') {
      this.#fetchedEarly.push(owner)
      return
    }
    const isNew = this.#entries.isNew(owner)
    const entry = this.#entries.of(owner)
    if (isNew && this.#state === 'open') entry.joinSentAt = this.#store.position
    entry.isFetched = true
    entry.sentLevels = undefined
    this.#ask(entry)
  }

  /** Returns the levels of an owner that the device gets, given this view. */
  levelsOf(owner: string, view: View): readonly number[] {
    if (this.#fetchedEarly.includes(owner)) return visibleLevels(view)
    const entry = this.#entries.get(owner)
    return entry ? levelsFor(entry, view) : view.relation.shown
  }

  noteChanged(owner: string, levels: Iterable<number>): void {
    for (const level of levels) this.#changedWhileOpening.push({ owner, level })
  }

  /**
   * A commit changed levels of an owner. Returns the levels that {@link deliver} will soon send as they are. The others are
   * marked as stale.
   */
  offer(entry: Entry, changed: readonly number[]): readonly number[] {
    const levels = this.takes(entry, changed)
    if (levels.length === 0) return levels
    if (this.#entries.isChecked(entry) && this.#handOver.isAtRest) {
      this.#handOver.beginOffer()
      return levels
    }
    this.#noteStale(entry, levels)
    return []
  }

  /**
   * Sends the offered levels, if the socket has room and nothing else happened in between. Of the owners that were committed
   * together, only the last one (`isLastOwner`) moves the cursor: after it nothing is left to hand over.
   *
   * A feed at rest has no stale levels, so the device has received each of these levels as it was before the batch. A
   * difference builds on that state. Levels that are sent later are read whole.
   */
  deliver({ entry, levels, revision }: Offer, frames: LevelFrames, isLastOwner: boolean): void {
    this.#handOver.endOffer()
    // The entry was removed meanwhile, or the session ended.
    if (this.#entries.get(entry.owner) !== entry) return this.#handOver.pump()
    if (entry.revision !== revision || !this.#handOver.isAtRest) return this.#noteStale(entry, levels)
    for (const [index, level] of levels.entries()) {
      const isLast = isLastOwner && index === levels.length - 1
      const frame = frames.frame(level, { withCursor: isLast, asDifference: this.#takesDifferences })
      if (this.#queue.isEmpty && this.#handOver.trySend(frame, isLast)) continue
      markStale(entry, level)
      this.#queue.add(entry)
    }
    this.#handOver.pump()
  }

  #noteStale(entry: Entry, levels: readonly number[]): void {
    for (const level of levels) markStale(entry, level)
    this.#queue.add(entry)
    this.#handOver.pump()
  }

  /** Returns those of the levels that the device gets, or may get, according to the last check. */
  takes(entry: Entry, levels: readonly number[]): number[] {
    const isChecked = this.#entries.isChecked(entry)
    return levels.filter(level => !isChecked || entry.sentLevels?.includes(level))
  }

  /** Calls back once everything that the device may see up to now has been handed over. */
  whenCaughtUp(callback: () => void): void {
    this.#handOver.whenCaughtUp(callback)
  }

  /**
   * Sends a device that stays connected and receives few updates how far it has read. `caughtUp` is sent whether or not
   * anything was committed meanwhile. Otherwise a device would learn which is the case [V10].
   */
  sendCursor(caughtUp: Uint8Array): void {
    this.#handOver.sendCursor(caughtUp)
  }

  /** The network has accepted outstanding bytes. */
  onTaken(): void {
    this.#handOver.onTaken()
  }

  /** Nothing more is handed over, even if the session continues. */
  fail(error: unknown): void {
    this.close()
    this.#outlet.fail(error)
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#relay.endOpening(this)
    this.#entries.clear()
    this.#queue.clear()
    this.#handOver.close()
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #ask(entry: Entry): void {
    entry.isChecked = false
    entry.revision++
    this.#queue.add(entry)
    this.#handOver.pump()
  }
}
