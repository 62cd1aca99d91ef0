import { encodeFields, encodeFrame } from '@kith/shared/wire'
import type { Device } from '../device.ts'
import { changedHands, type LevelRecord, type Relation, saysNothing } from '../relations/records.ts'
import { isOpen, visibleLevels } from '../relations/standing.ts'
import type { Known, Store, View } from '../relations/store.ts'
import { sameLevels } from '../relations/visible-levels.ts'
import { changedLevels } from './changed-levels.ts'
import type { Follower, Offer } from './entry.ts'
import { type Entry, markStale, newEntry, nothingStale } from './entry.ts'
import { type LevelFrames, profileFrame } from './level-frames.ts'
import { levelsFor, type Plan, planHandOver } from './plan.ts'
import type { Relay } from './relay.ts'

/** Owners looked at in one read. */
const batchSize = 32
/** Levels read in one go, unless one owner has more: a batch may wait for it. */
const mostLevels = 32
const noCursor = new Uint8Array()
const noFields = encodeFields({})

/** The socket of the session that the feed belongs to. */
export type Outlet = Pick<Device, 'outstandingBytes' | 'send' | 'fail'>

/** What was read of one owner. */
interface Looked {
  plan: Plan
  records: (LevelRecord | undefined)[]
}

/** The first of the plans, up to the number of levels that are read in one go. */
function withinOneRead(plans: readonly Plan[]): Plan[] {
  let count = 0
  return plans.filter(({ levels }, index) => {
    count += levels.length
    return index === 0 || count <= mostLevels
  })
}

/**
 * What one session is sent about others. Its queue holds names of what is stale, never frames, so a slow device costs
 * bounded memory and gets the newest state of each when it can [F2]. Whatever is handed over was read since the last batch
 * began; check and handing over happen without a pause between [V4].
 */
export class Feed implements Follower {
  readonly user: string
  readonly #relay: Relay
  readonly #store: Store
  readonly #outlet: Outlet
  readonly #maxOutstandingBytes: number
  #entries = new Map<string, Entry>()
  #queue = new Set<Entry>()
  #state: 'new' | 'opening' | 'open' | 'closed' = 'new'
  #isPumping = false
  /** What was offered and will be delivered in a moment: until then the feed is not caught up. */
  #offered = 0
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
  #found = new Set<string>()
  #unread: { owners: readonly string[]; position: number; next: number }[] = []
  /** Owners of whom the device was told that they wait, and nothing else: tens of thousands need no entry. */
  #waiting = new Set<string>()

  constructor(user: string, relay: Relay, outlet: Outlet, maxOutstandingBytes: number) {
    this.user = user
    this.#relay = relay
    this.#store = relay.store
    this.#outlet = outlet
    this.#maxOutstandingBytes = maxOutstandingBytes
  }

  /** Whether the device can go on from this cursor; if not, it gets everything anew. */
  async resume(cursor: Uint8Array): Promise<{ since: number | undefined }> {
    return { since: this.#relay.cursors.positionOf(cursor, await this.#store.oldestCursor()) }
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
    const among = await this.#relay.changedSince(since ?? this.#openedAt)
    for await (const some of this.#store.relationsOf(this.user)) {
      const changed = since === undefined ? undefined : await changedLevels(this.#store, since, among, some)
      if (this.#isClosed()) return
      for (const { relation } of some) if (!saysNothing(relation.mySide.said)) this.#relations++
      for (const one of some) this.#find(one, since, changed?.get(one.owner) ?? [])
    }
    this.#relay.endOpening(this)
    if (this.#isClosed()) return
    this.#state = 'open'
    for (const { owner, level } of this.#changedWhileOpening) this.#markStale(owner, level)
    this.#changedWhileOpening = []
    this.#pump()
  }

  /** To how many users the viewer's own roster says anything: what others say of the viewer does not count [V10]. */
  get relations(): number {
    return this.#relations
  }

  /** A relation as it stood when the feed began to open; of what changed since, an entry tells already. */
  #find({ owner, relation }: Known, since: number | undefined, changed: readonly number[]): void {
    if (this.#entries.has(owner)) return
    const isKept = relation.shown.length > 0 || changedHands(relation.mySide) !== ''
    if (since === undefined ? isKept || relation.isWaiting : relation.changedAt > since) this.#found.add(owner)
    else if (isKept) this.#install(this.#entry(owner), relation, changed)
    else if (relation.isWaiting) this.#waiting.add(owner)
  }

  /** A change of this pair, at this position: nothing more is handed over until it was read again. */
  recheck(owner: string, position: number): void {
    if (this.#state === 'new' || this.#state === 'closed') return
    const isNew = this.#isNew(owner)
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
    // Of whom nothing may be seen: else their next change would be looked at, which takes time, and tells [V10].
    this.recheckFetched(position)
    this.#pump()
  }

  /** The next of those owners, in the queue. */
  #takeUnread(): void {
    for (const owner of firstOf(this.#found, batchSize)) {
      this.#found.delete(owner)
      this.#enqueue(this.#entry(owner))
    }
    const [first] = this.#unread
    if (!first) return
    const some = first.owners.slice(first.next, first.next + batchSize)
    first.next += some.length
    if (first.next >= first.owners.length) this.#unread.shift()
    for (const owner of some) this.recheck(owner, first.position)
  }

  #isDone(): boolean {
    return this.#queue.size === 0 && this.#unread.length === 0 && this.#found.size === 0
  }

  /** What was read of this owner still counts, as far as this feed was told. */
  #isChecked(entry: Entry): boolean {
    return entry.isChecked && entry.era === this.#era
  }

  /** A change of the viewer's own standing. */
  recheckFetched(position: number): void {
    for (const entry of this.#entries.values()) if (entry.isFetched) this.recheck(entry.owner, position)
  }

  /** Another level 0 of this owner for whoever has no relation to them: no news for those who see no stranger's. */
  recheckStranger(entry: Entry, position: number): void {
    if (entry.isFetched && (entry.isOpen || !this.#isChecked(entry))) this.recheck(entry.owner, position)
  }

  /** The device looks at somebody: it gets their updates for as long as this session lives [V7]. */
  fetch(owner: string): void {
    if (this.#isClosed()) return
    if (this.#state === 'new') {
      this.#fetchedEarly.push(owner)
      return
    }
    const isNew = this.#isNew(owner)
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
   * A commit changed levels of an owner. Returns those that go out as they are in a moment, by {@link deliver}; the others
   * are names of what is stale.
   */
  offer(entry: Entry, changed: readonly number[]): readonly number[] {
    const levels = this.takes(entry, changed)
    if (levels.length === 0) return levels
    if (this.#isChecked(entry) && this.#isAtRest) {
      this.#offered++
      return levels
    }
    this.#noteStale(entry, levels)
    return []
  }

  /**
   * Hands over what was offered, if the socket has room and nothing came between. Only the last owner of those that were
   * told together (`isLastOwner`) moves the cursor: behind it nothing is left to hand over.
   */
  deliver({ entry, levels, revision }: Offer, frames: LevelFrames, isLastOwner: boolean): void {
    this.#offered--
    // The entry went meanwhile, or the session ended.
    if (this.#entries.get(entry.owner) !== entry) return this.#pump()
    if (entry.revision !== revision || !this.#isAtRest) return this.#noteStale(entry, levels)
    for (const [index, level] of levels.entries()) {
      const isLast = isLastOwner && index === levels.length - 1
      const frame = frames.frame(level, isLast)
      if (this.#isDone() && this.#hasRoomFor(frame)) {
        this.#outlet.send(frame)
        this.#noteSent(isLast)
      } else {
        markStale(entry, level)
        this.#enqueue(entry)
      }
    }
    this.#pump()
  }

  get #isAtRest(): boolean {
    return this.#state === 'open' && this.#isDone() && !this.#isPumping
  }

  #noteStale(entry: Entry, levels: readonly number[]): void {
    for (const level of levels) markStale(entry, level)
    this.#enqueue(entry)
    this.#pump()
  }

  /** Those of the levels that the device gets, or may get, as far as is known before the next look. */
  takes(entry: Entry, levels: readonly number[]): number[] {
    const isChecked = this.#isChecked(entry)
    return levels.filter(level => !isChecked || entry.told?.includes(level))
  }

  /** Calls back once everything that the device may see by now has been handed over. */
  whenCaughtUp(callback: () => void): void {
    this.#waiters.push(callback)
    this.#pump()
  }

  /**
   * Tells the device how far it has read: for one that stays connected and gets little. `caughtUp` comes whether or not
   * anything was committed meanwhile, or a device would learn which [V10].
   */
  tellCursor(caughtUp: Uint8Array): void {
    if (this.#state !== 'open' || !this.#hasCaughtUp) return
    if (!this.#isAtRest || this.#offered > 0) this.#owesCursor = true
    else this.#sendCaughtUp(caughtUp)
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
    this.#found.clear()
    this.#waiters = []
  }

  /** Nothing is known of what the device holds of this owner. Asked before an entry is made. */
  #isNew(owner: string): boolean {
    return !this.#found.delete(owner) && !this.#entries.has(owner)
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
    // A follow that waits shows nothing and has nothing to confirm, so it is never installed.
    entry.told = relation.shown
    entry.toldHands = changedHands(relation.mySide)
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
        if (!this.#isDone() || (this.#waiters.length > 0 && this.#offered === 0)) this.#pump()
      })
  }

  async #handOver(): Promise<void> {
    while (!this.#isDone() && !this.#isClosed() && !this.#isBlocked) {
      if (this.#queue.size < batchSize) this.#takeUnread()
      const batch = firstOf(this.#queue, batchSize)
      await this.#relay.reads.read(
        () => this.#look(batch),
        looked => this.#handOverEach(looked),
      )
    }
    if (this.#isClosed() || this.#isBlocked || this.#offered > 0) return
    if (!this.#hasCaughtUp || this.#owesCursor) this.#sendCaughtUp()
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  /** Both users' records, and the levels that follow from them: as many as one read takes, and all of the first owner's. */
  async #look(batch: readonly Entry[]): Promise<Looked[]> {
    const views = await this.#store.views(
      this.user,
      batch.map(({ owner }) => owner),
    )
    const plans = withinOneRead(batch.map((entry, index) => planHandOver(entry, views[index] as View)))
    const wanted = plans.flatMap(({ entry, levels }) => levels.map(level => ({ owner: entry.owner, level })))
    const records = await this.#store.levels(wanted)
    return plans.map(plan => ({ plan, records: records.splice(0, plan.levels.length) }))
  }

  /** Synchronous from here: what was just checked is handed over, as far as there is room [V4]. */
  #handOverEach(looked: readonly Looked[]): void {
    if (this.#isClosed()) return
    for (const { plan, records } of looked) {
      // This session has asked again meanwhile.
      if (plan.entry.revision !== plan.revision) continue
      if (!this.#handOverOne(plan, records)) {
        this.#isBlocked = true
        return
      }
    }
  }

  /** False when there was no room for all of it. */
  #handOverOne({ entry, view, levels, seen, isFetched }: Plan, records: readonly (LevelRecord | undefined)[]): boolean {
    this.#queue.delete(entry)
    const { relation } = view
    const hands = changedHands(relation.mySide)
    const hasJustJoined = relation.joinedAt > entry.joinTold && seen.length > 0
    const isNews =
      entry.toldWaiting !== relation.isWaiting ||
      entry.toldFetched !== isFetched ||
      entry.toldHands !== hands ||
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
      const frame = encodeFrame({
        type: 'access',
        ...{ owner, levels: seen, isWaiting, hasJustJoined, isFetched, cursor },
        ...(hands !== '' && { changedHands: hands }),
      })
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
    entry.toldHands = hands
    entry.joinTold = Math.max(entry.joinTold, relation.joinedAt)
    entry.isFollowed = relation.mine.isSubscribed
    entry.isOpen = isOpen(view.viewer)
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
    if (seen.length === 0 && !entry.isFetched && hands === '') {
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
    return this.#relay.cursors.seal()
  }

  #sendCaughtUp(frame: Uint8Array = this.#relay.caughtUp()): void {
    this.#hasCaughtUp = true
    this.#owesCursor = false
    this.#toldPosition = this.#store.position
    this.#outlet.send(frame)
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
