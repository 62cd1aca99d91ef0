import { encodeFrame, encodeProfileFrame } from '@kith/shared/wire'
import type { Device } from '../device.ts'
import type { LevelName, LevelRecord } from '../relations/records.ts'
import type { View } from '../relations/views.ts'
import { turnForSlice } from '../turns.ts'
import { type Entry, nothingStale } from './entry.ts'
import { type FeedCursor, noCursor } from './feed-cursor.ts'
import type { FeedEntries } from './feed-entries.ts'
import type { FeedQueue, QueuePort } from './feed-queue.ts'
import { accessFor, lacksStale, notePlanSent, type Plan, planHandOver, writtenLevels } from './plan.ts'
import type { Relay } from './relay.ts'

/** The number of owners that are checked in one read. */
const batchSize = 32
/** The number of levels that are read together, unless a single owner has more. A batch may wait for this read. */
const mostLevels = 32

/** The socket of the session that the feed belongs to. */
export type Outlet = Pick<Device, 'outstandingBytes' | 'send' | 'together' | 'fail'>

export interface HandOverPort extends QueuePort {
  /** The viewer. */
  readonly user: string
  readonly relay: Relay
  readonly outlet: Outlet
  readonly maxOutstandingBytes: number
  readonly queue: FeedQueue
  readonly entries: FeedEntries
  readonly cursor: FeedCursor
}

/** The records that were read for one owner. */
interface Looked {
  plan: Plan
  records: (LevelRecord | undefined)[]
}

function namesOf({ entry, levels }: Plan): LevelName[] {
  return levels.map(level => ({ owner: entry.owner, level }))
}

/** Returns the first plans, up to the number of levels that are read together. */
function withinOneRead(plans: readonly Plan[]): Plan[] {
  let count = 0
  return plans.filter(({ levels }, index) => {
    count += levels.length
    return index === 0 || count <= mostLevels
  })
}

/**
 * The loop that empties a feed's queue. It reads a few owners, checks what the viewer may see of them, and hands that over.
 * Everything that is handed over was read in the state that was reported last. No `await` is between the check and the
 * hand-over [V4].
 */
export class HandOver {
  readonly #port: HandOverPort
  #state: 'new' | 'running' | 'closed' = 'new'
  #isPumping = false
  /** There was no room. `onTaken` continues. */
  #isBlocked = false
  /** The device reconnected with the replicas that it had. */
  #isResumed = false
  /** The number of offers that will soon be delivered. Until then the feed is not caught up. */
  #offered = 0
  #waiters: (() => void)[] = []

  constructor(port: HandOverPort) {
    this.#port = port
  }

  /** Starts to hand over. `isResumed`: the device reconnected with the replicas that it had. */
  start(isResumed: boolean): void {
    this.#isResumed = isResumed
    this.#state = 'running'
    this.pump()
  }

  /** Nothing is left to read, and no read is in progress. */
  get isAtRest(): boolean {
    return this.#state === 'running' && this.#port.queue.isEmpty && !this.#isPumping
  }

  /** A frame was offered and will soon be sent. */
  beginOffer(): void {
    this.#offered++
  }

  endOffer(): void {
    this.#offered--
  }

  /** Calls back once everything that the device may see up to now has been handed over. */
  whenCaughtUp(callback: () => void): void {
    this.#waiters.push(callback)
    this.pump()
  }

  /** Sends the device how far it has read: now, or when the rest has been handed over. */
  sendCursor(caughtUp: Uint8Array): void {
    const { cursor } = this.#port
    if (this.#state !== 'running' || !cursor.hasCaughtUp) return
    if (!this.isAtRest || this.#offered > 0) cursor.owe()
    else this.#sendCaughtUp(caughtUp)
  }

  /** The network has accepted outstanding bytes. */
  onTaken(): void {
    this.#isBlocked = false
    if (!this.#port.queue.isEmpty) this.pump()
  }

  close(): void {
    this.#state = 'closed'
    this.#waiters = []
  }

  pump(): void {
    if (this.#isPumping || this.#isBlocked || this.#state !== 'running' || this.#isIdle) return
    this.#isPumping = true
    void this.#run()
      .catch((error: unknown) => this.#port.outlet.fail(error))
      .finally(() => {
        this.#isPumping = false
        // Work may have been added between the end of the loop and here.
        if (!this.#port.queue.isEmpty || (this.#waiters.length > 0 && this.#offered === 0)) this.pump()
      })
  }

  /** Nothing has to be read or sent. This holds for each follower after most edits. */
  get #isIdle(): boolean {
    const { queue, cursor } = this.#port
    if (!queue.isEmpty) return false
    return this.#offered > 0 || (this.#waiters.length === 0 && !cursor.isDue)
  }

  async #run(): Promise<void> {
    const { queue, cursor, relay } = this.#port
    while (!queue.isEmpty && !this.#isClosed() && !this.#isBlocked) {
      const batch = queue.next(batchSize, this.#port)
      await relay.reads.read(
        () => this.#look(batch),
        ({ owners }) => this.#port.outlet.together(() => this.#handOverEach(owners)),
      )
      if (batch.length === batchSize) await turnForSlice()
    }
    if (this.#isClosed() || this.#isBlocked || this.#offered > 0) return
    if (cursor.isDue) this.#sendCaughtUp(relay.caughtUp())
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  /**
   * Reads both users' records and the levels that follow from them: as many as one read allows, but at least all of the first
   * owner.
   */
  async #look(batch: readonly Entry[]): Promise<{ at: number; owners: Looked[] }> {
    const { user, relay } = this.#port
    const owners = batch.map(({ owner }) => owner)
    let plans: Plan[] = []
    const { at, levels } = await relay.store.views(user, owners, views => {
      plans = withinOneRead(batch.map((entry, index) => planHandOver(entry, views[index] as View)))
      return plans.flatMap(namesOf)
    })
    return { at, owners: plans.map(plan => ({ plan, records: levels.splice(0, plan.levels.length) })) }
  }

  /** Synchronous from here: what was just checked is handed over, as far as there is room [V4]. */
  #handOverEach(looked: readonly Looked[]): void {
    if (this.#isClosed()) return
    for (const { plan, records } of looked) {
      // This session requested the owner again meanwhile, or a commit that was reported since the read began made a level
      // stale.
      if (plan.entry.revision !== plan.revision || lacksStale(plan)) continue
      if (!this.#handOverOne(plan, records)) {
        // Without the lease, the rest is read again when the lease is current.
        this.#isBlocked = this.#port.relay.reads.mayHandOver
        return
      }
    }
  }

  /** Returns false if there was not enough room. */
  #handOverOne(plan: Plan, records: readonly (LevelRecord | undefined)[]): boolean {
    const { queue, entries, cursor } = this.#port
    const { entry, view, seen } = plan
    queue.delete(entry)
    const written = writtenLevels(plan, records, this.#isResumed)
    const access = accessFor(plan, entries.openedAt)
    if (access) {
      const isLast = written.length === 0
      if (!this.#sendIfRoom(entry, isLast, sealed => encodeFrame({ ...access, cursor: sealed }))) return false
    }
    // Nothing to hand over: the device already knows the change.
    else if (written.length === 0) cursor.noteNothingToSend(view.relation.changedAt)
    notePlanSent(plan)
    entries.noteChecked(entry)
    entry.stale = written.length === 0 ? nothingStale : new Set(written.map(({ level }) => level))
    for (const [index, { level, fields }] of written.entries()) {
      const isLast = index === written.length - 1
      const { owner } = entry
      if (!this.#sendIfRoom(entry, isLast, sealed => encodeProfileFrame({ owner, level, cursor: sealed }, fields)))
        return false
      entry.stale.delete(level)
    }
    if (seen.length === 0 && !entry.isFetched && entry.sentHands === '') {
      entries.drop(entry, view.relation.isWaiting)
    }
    return true
  }

  /** Sends a frame if there is room for it. Otherwise the entry stays in the queue. */
  #sendIfRoom(entry: Entry, isLast: boolean, frameWith: (cursor: Uint8Array) => Uint8Array): boolean {
    const { queue } = this.#port
    const sealed = isLast ? this.#cursorIfLast() : noCursor
    if (this.trySend(frameWith(sealed), sealed.length > 0)) return true
    queue.add(entry)
    return false
  }

  /** Sends a frame if there is room for it and the node's lease is current. Returns whether it was sent. */
  trySend(frame: Uint8Array, withCursor: boolean): boolean {
    if (!this.#hasRoomFor(frame) || !this.#port.relay.reads.mayHandOver) return false
    this.#port.outlet.send(frame)
    this.#port.cursor.noteSent(withCursor)
    return true
  }

  #cursorIfLast(): Uint8Array {
    const { queue, cursor } = this.#port
    // Offered levels are not sent yet. A device that disconnected before them, with a later cursor, would never get them.
    return queue.isEmpty && this.#offered === 0 ? cursor.ofLastFrame() : noCursor
  }

  #sendCaughtUp(frame: Uint8Array): void {
    this.#port.cursor.noteCaughtUp()
    this.#port.outlet.send(frame)
  }

  /** A single frame may be larger than the room. Then it is sent when nothing else is outstanding. */
  #hasRoomFor(frame: Uint8Array): boolean {
    const { outlet, maxOutstandingBytes } = this.#port
    const { outstandingBytes } = outlet
    return outstandingBytes === 0 || outstandingBytes + frame.length <= maxOutstandingBytes
  }
}
