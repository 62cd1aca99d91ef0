import { encodeFields, encodeFrame } from '@kith/shared/wire'
import { sameLevels } from '../store/derive/showing.ts'
import type { LevelRecord, Relation } from '../store/records.ts'
import { visibleLevels } from '../store/standing.ts'
import type { Known, Store, View } from '../store/store.ts'
import { changedLevels, changedOwners } from './changed-levels.ts'
import { encodeCursor, positionOf } from './cursor.ts'
import { type Entry, markStale, newEntry, nothingStale } from './entry.ts'
import { type LevelFrames, profileFrame } from './level-frames.ts'
import type { Outlet } from './outlet.ts'
import { levelsFor, type Plan, planHandOver } from './plan.ts'
import type { Relay } from './relay.ts'

/** Owners looked at in one read. */
const batchSize = 32
const noCursor = new Uint8Array()
const noFields = encodeFields({})

/**
 * What one session is sent about others. Its queue holds names of what is stale, never frames, so a slow device costs
 * bounded memory and gets the newest state of each when it can [F2]. Whatever is handed over was read since the last
 * commit that concerns the pair; check and handing over happen without a pause between [V4].
 */
export class Feed {
  readonly #user: string
  readonly #relay: Relay
  readonly #store: Store
  readonly #outlet: Outlet
  readonly #maxOutstandingBytes: number
  #entries = new Map<string, Entry>()
  #queue = new Set<Entry>()
  #state: 'new' | 'opening' | 'open' | 'closed' = 'new'
  #isPumping = false
  /** There was no room; `onTaken` will go on. */
  #isBlocked = false
  #hasCaughtUp = false
  /** The device came back with what it had. */
  #isResumed = false
  /** The device's cursor is from before something that it has: without another it would come again [F1]. */
  #owesCursor = false
  #openedAt = 0
  #toldPosition = 0
  #changedWhileOpening: { owner: string; level: number }[] = []
  #waiters: (() => void)[] = []
  #fetchedEarly: string[] = []
  #relations = 0
  /** Counts the changes of many pairs: what was read in an earlier era counts no more. */
  #era = 0
  /** Owners that the device must be told of, found when the feed opened: names only, until it can take them [F2]. */
  #found: string[] = []
  #unread: { owners: readonly string[]; position: number; next: number }[] = []
  /** Owners of whom the device was told that they wait, and nothing else: tens of thousands need no entry. */
  #waiting = new Set<string>()

  constructor(user: string, relay: Relay, outlet: Outlet, maxOutstandingBytes: number) {
    this.#user = user
    this.#relay = relay
    this.#store = relay.store
    this.#outlet = outlet
    this.#maxOutstandingBytes = maxOutstandingBytes
  }

  /** Whether the device can go on from this cursor; if not, it gets everything anew. */
  async resume(cursor: Uint8Array): Promise<{ since: number | undefined }> {
    return { since: positionOf(cursor, this.#store, await this.#store.oldestCursor()) }
  }

  /**
   * Finds what changed since a position (`undefined`: everything is new) and begins to send it. The session hears of
   * commits before its relations are read, so nothing falls between.
   */
  async open(since: number | undefined): Promise<void> {
    // The session may have ended while its cursor was looked at; it must not come to life again.
    if (this.#isClosed()) return
    this.#state = 'opening'
    this.#relay.beginOpening(this)
    this.#openedAt = since ?? this.#store.position
    this.#isResumed = since !== undefined
    for (const owner of this.#fetchedEarly.splice(0)) this.fetch(owner)
    const recent = since === undefined ? undefined : await changedOwners(this.#store, since)
    for await (const some of this.#store.relationsOf(this.#user)) {
      const changed = since === undefined ? undefined : await changedLevels(this.#store, since, recent, some)
      if (this.#isClosed()) return
      this.#relations += some.length
      for (const one of some) this.#find(one, since, changed?.get(one.owner) ?? [])
    }
    this.#relay.endOpening(this)
    if (this.#isClosed()) return
    this.#state = 'open'
    for (const { owner, level } of this.#changedWhileOpening) this.#markStale(owner, level)
    this.#changedWhileOpening = []
    this.#pump()
  }

  /** How many relations were read to open it. */
  get relations(): number {
    return this.#relations
  }

  /** A relation as it stood when the feed began to open; of what changed since, an entry tells already. */
  #find({ owner, relation }: Known, since: number | undefined, changed: readonly number[]): void {
    if (this.#entries.has(owner)) return
    const isShown = relation.shown.length > 0
    if (since === undefined ? isShown || relation.isWaiting : relation.changedAt > since) this.#found.push(owner)
    else if (isShown) this.#install(this.#entry(owner), relation, changed)
    else if (relation.isWaiting) this.#waiting.add(owner)
  }

  /** A change of this pair, at this position: nothing more is handed over until it was read again. */
  recheck(owner: string, position: number): void {
    if (this.#state === 'new' || this.#state === 'closed') return
    const isNew = !this.#entries.has(owner)
    const entry = this.#entry(owner)
    // While opening, what the device holds isn't known; later, an owner without an entry is one it holds nothing of.
    if (isNew && this.#state === 'open') {
      entry.told = []
      entry.joinTold = position - 1
    }
    this.#ask(entry)
  }

  /**
   * A change of many pairs at once. All entries count as unread from now on, at once [V4]; those of these owners are made
   * and read as the device can take them.
   */
  recheckMany(owners: readonly string[], position: number): void {
    if (this.#state !== 'open') {
      for (const owner of owners) this.recheck(owner, position)
      return
    }
    this.#era++
    this.#unread.push({ owners, position, next: 0 })
    this.#pump()
  }

  /** The next of those owners, in the queue. */
  #takeUnread(): void {
    for (const owner of this.#found.splice(-batchSize)) if (!this.#entries.has(owner)) this.#enqueue(this.#entry(owner))
    const [first] = this.#unread
    if (!first) return
    const some = first.owners.slice(first.next, first.next + batchSize)
    first.next += some.length
    if (first.next >= first.owners.length) this.#unread.shift()
    for (const owner of some) this.recheck(owner, first.position)
  }

  #isDone(): boolean {
    return this.#queue.size === 0 && this.#unread.length === 0 && this.#found.length === 0
  }

  /** What was read of this owner still counts, as far as this feed was told. */
  #isChecked(entry: Entry): boolean {
    return entry.isChecked && entry.era === this.#era
  }

  /** A change of the viewer's own standing. */
  recheckFetched(position: number): void {
    for (const entry of this.#entries.values()) if (entry.isFetched) this.recheck(entry.owner, position)
  }

  /** The device looks at somebody: it gets their updates for as long as this session lives [V7]. */
  fetch(owner: string): void {
    if (this.#isClosed()) return
    if (this.#state === 'new') {
      this.#fetchedEarly.push(owner)
      return
    }
    const isNew = !this.#entries.has(owner)
    const entry = this.#entry(owner)
    if (isNew && this.#state === 'open') entry.joinTold = this.#store.position
    entry.isFetched = true
    entry.told = undefined
    this.#ask(entry)
  }

  /** The levels that the device gets of an owner, if this is how things stand. */
  levelsOf(owner: string, view: View): readonly number[] {
    if (this.#fetchedEarly.includes(owner)) return visibleLevels(view)
    const entry = this.#entries.get(owner)
    return entry ? levelsFor(entry, view) : view.relation.shown
  }

  noteChanged(owner: string, levels: Iterable<number>): void {
    for (const level of levels) this.#changedWhileOpening.push({ owner, level })
  }

  /**
   * A commit changed levels of an owner: at once if the socket has room, else as names of what is stale. Only the last
   * owner of those that were told together (`isLastOwner`) moves the cursor: behind it nothing is left to hand over.
   */
  offer(entry: Entry, frames: LevelFrames, isLastOwner: boolean): void {
    const isChecked = this.#isChecked(entry)
    const levels = frames.levels.filter(level => !isChecked || entry.told?.includes(level))
    if (levels.length === 0) return
    const isDirect = isChecked && this.#isDone() && this.#state === 'open' && !this.#isPumping
    for (const [index, level] of levels.entries()) {
      const isLast = isLastOwner && index === levels.length - 1
      const frame = isDirect ? frames.frame(level, isLast) : undefined
      if (frame && this.#queue.size === 0 && this.#hasRoomFor(frame)) {
        this.#outlet.send(frame)
        this.#noteSent(isLast)
      } else {
        markStale(entry, level)
        this.#enqueue(entry)
      }
    }
    if (!this.#isDone()) this.#pump()
  }

  /** Calls back once everything that the device may see by now has been handed over. */
  whenCaughtUp(callback: () => void): void {
    this.#waiters.push(callback)
    this.#pump()
  }

  /** Tells the device how far it has read, if that moved: for one that stays connected and gets little. */
  tellCursor(): void {
    const isAtRest = this.#state === 'open' && this.#hasCaughtUp && this.#isDone() && !this.#isPumping
    if (isAtRest && this.#toldPosition !== this.#store.position) this.#sendCaughtUp()
  }

  /** The network has taken what was outstanding. */
  onTaken(): void {
    this.#isBlocked = false
    if (!this.#isDone()) this.#pump()
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#relay.endOpening(this)
    for (const entry of this.#entries.values()) this.#relay.removeEntry(entry)
    this.#entries.clear()
    this.#waiting.clear()
    this.#queue.clear()
    this.#unread = []
    this.#found = []
    this.#waiters = []
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #entry(owner: string): Entry {
    const known = this.#entries.get(owner)
    if (known) return known
    const entry = newEntry(owner, this, this.#openedAt)
    entry.toldWaiting = this.#waiting.delete(owner)
    this.#entries.set(owner, entry)
    this.#relay.addEntry(entry)
    return entry
  }

  /** An owner of whom the device has all but `stale`. */
  #install(entry: Entry, relation: Relation, stale: readonly number[]): void {
    entry.told = relation.shown
    entry.toldWaiting = relation.isWaiting
    entry.isFollowed = relation.mine.isSubscribed
    this.#noteChecked(entry)
    for (const level of stale) if (relation.shown.includes(level)) markStale(entry, level)
    if (entry.stale.size > 0) this.#enqueue(entry)
  }

  #noteChecked(entry: Entry): void {
    entry.isChecked = true
    entry.era = this.#era
  }

  #ask(entry: Entry): void {
    entry.isChecked = false
    entry.revision++
    this.#enqueue(entry)
    this.#pump()
  }

  #enqueue(entry: Entry): void {
    this.#queue.add(entry)
  }

  #markStale(owner: string, level: number): void {
    const entry = this.#entries.get(owner)
    if (!entry) return
    markStale(entry, level)
    this.#enqueue(entry)
  }

  #pump(): void {
    if (this.#isPumping || this.#isBlocked || this.#state !== 'open') return
    this.#isPumping = true
    void this.#handOver()
      .catch((error: unknown) => this.#outlet.fail(error))
      .finally(() => {
        this.#isPumping = false
        // Something may have come in between the end of the loop and here.
        if (!this.#isDone() || this.#waiters.length > 0) this.#pump()
      })
  }

  async #handOver(): Promise<void> {
    while (!this.#isDone() && !this.#isClosed()) {
      if (this.#queue.size < batchSize) this.#takeUnread()
      const era = this.#era
      const batch = firstOf(this.#queue, batchSize)
      await this.#relay.settled([this.#user, ...batch.map(({ owner }) => owner)])
      const since = this.#store.position
      const views = await this.#store.views(
        this.#user,
        batch.map(({ owner }) => owner),
      )
      const plans = batch.map((entry, index) => planHandOver(entry, views[index] as View))
      const wanted = plans.flatMap(({ entry, levels }) => levels.map(level => ({ owner: entry.owner, level })))
      const records = await this.#store.levels(wanted)
      if (this.#isClosed()) return
      for (const one of plans) {
        const levels = records.splice(0, one.levels.length)
        const isOutdated = one.entry.revision !== one.revision || era !== this.#era
        if (isOutdated || this.#relay.hasChangedSince(since, [this.#user, one.entry.owner])) continue
        if (!this.#handOverOne(one, levels)) {
          this.#isBlocked = true
          return
        }
      }
    }
    if (this.#isClosed()) return
    if (!this.#hasCaughtUp || this.#owesCursor) this.#sendCaughtUp()
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  /** Synchronous from here: what was just checked is handed over, as far as there is room; false when there was none. */
  #handOverOne({ entry, view, levels, seen, isFetched }: Plan, records: readonly (LevelRecord | undefined)[]): boolean {
    this.#queue.delete(entry)
    const { relation } = view
    const hasJustJoined = relation.joinedAt > entry.joinTold && seen.length > 0
    const isNews =
      entry.toldWaiting !== relation.isWaiting ||
      entry.toldFetched !== isFetched ||
      (entry.told ? !sameLevels(entry.told, seen) : this.#mayHold(entry, relation) || seen.length > 0)
    // Of an account that was erased meanwhile the device may hold levels that are there no more [V7].
    const unwritten = this.#isResumed && entry.told === undefined ? noFields : undefined
    const written = levels.flatMap((level, index) => {
      const fields = records[index]?.fields ?? unwritten
      return fields ? [{ level, fields }] : []
    })
    if (isNews || hasJustJoined) {
      const { owner } = entry
      const { isWaiting } = relation
      const cursor = written.length === 0 ? this.#cursorIfLast() : noCursor
      const frame = encodeFrame({ type: 'access', owner, levels: seen, isWaiting, hasJustJoined, isFetched, cursor })
      if (!this.#hasRoomFor(frame)) {
        this.#enqueue(entry)
        return false
      }
      this.#outlet.send(frame)
      this.#noteSent(cursor.length > 0)
    }
    // Nothing to hand over: the device knows already what changed.
    else if (written.length === 0 && relation.changedAt > this.#toldPosition) this.#owesCursor = true
    entry.told = seen
    entry.toldWaiting = relation.isWaiting
    entry.toldFetched = isFetched
    entry.joinTold = Math.max(entry.joinTold, relation.joinedAt)
    entry.isFollowed = relation.mine.isSubscribed
    this.#noteChecked(entry)
    entry.stale = written.length === 0 ? nothingStale : new Set(written.map(({ level }) => level))
    for (const [index, { level, fields }] of written.entries()) {
      const cursor = index === written.length - 1 ? this.#cursorIfLast() : noCursor
      const frame = profileFrame(entry.owner, level, fields, cursor)
      if (!this.#hasRoomFor(frame)) {
        this.#enqueue(entry)
        return false
      }
      entry.stale.delete(level)
      this.#outlet.send(frame)
      this.#noteSent(cursor.length > 0)
    }
    if (seen.length === 0 && !entry.isFetched) {
      this.#drop(entry)
      if (relation.isWaiting) this.#waiting.add(entry.owner)
    }
    return true
  }

  #noteSent(withCursor: boolean): void {
    this.#owesCursor = !withCursor
    if (withCursor) this.#toldPosition = this.#store.position
  }

  /** Whether to speak of an owner of whom nothing is seen: to somebody who asked, or was shown something before [V8]. */
  #mayHold(entry: Entry, relation: Relation): boolean {
    return entry.isFetched || relation.changedAt > this.#openedAt
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.owner)
    this.#relay.removeEntry(entry)
  }

  /** The first time, `caughtUp` says it, so that a device knows what to drop. */
  #cursorIfLast(): Uint8Array {
    if (!this.#isDone() || !this.#hasCaughtUp) return noCursor
    return encodeCursor(this.#store.run, this.#store.position)
  }

  #sendCaughtUp(): void {
    this.#hasCaughtUp = true
    this.#owesCursor = false
    this.#toldPosition = this.#store.position
    const cursor = encodeCursor(this.#store.run, this.#store.position)
    this.#outlet.send(encodeFrame({ type: 'caughtUp', cursor }))
  }

  /** A single frame may be larger than the room: then it goes when nothing else is outstanding. */
  #hasRoomFor(frame: Uint8Array): boolean {
    const { outstandingBytes } = this.#outlet
    return outstandingBytes === 0 || outstandingBytes + frame.length <= this.#maxOutstandingBytes
  }
}

function firstOf<T>(all: Iterable<T>, most: number): T[] {
  const some: T[] = []
  for (const one of all) {
    if (some.length === most) break
    some.push(one)
  }
  return some
}
