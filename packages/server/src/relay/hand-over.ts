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

/** Owners looked at in one read. */
const batchSize = 32
/** Levels read in one go, unless one owner has more: a batch may wait for it. */
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

/** What was read of one owner. */
interface Looked {
  plan: Plan
  records: (LevelRecord | undefined)[]
}

function namesOf({ entry, levels }: Plan): LevelName[] {
  return levels.map(level => ({ owner: entry.owner, level }))
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
 * The loop that empties a feed's queue: reads a few owners, checks what the viewer may see of them, and hands that over.
 * Whatever is handed over was read in the state that was reported last; check and handing over happen without a pause between
 * [V4].
 */
export class HandOver {
  readonly #port: HandOverPort
  #state: 'new' | 'running' | 'closed' = 'new'
  #isPumping = false
  /** There was no room; `onTaken` will go on. */
  #isBlocked = false
  /** The device came back with what it had. */
  #isResumed = false
  /** What was offered and will be delivered in a moment: until then the feed is not caught up. */
  #offered = 0
  #waiters: (() => void)[] = []

  constructor(port: HandOverPort) {
    this.#port = port
  }

  /** Begins to hand over. `isResumed`: the device came back with what it had. */
  start(isResumed: boolean): void {
    this.#isResumed = isResumed
    this.#state = 'running'
    this.pump()
  }

  /** Nothing is left to read, and nothing is being read. */
  get isAtRest(): boolean {
    return this.#state === 'running' && this.#port.queue.isEmpty && !this.#isPumping
  }

  /** A frame was offered, and goes out in a moment. */
  beginOffer(): void {
    this.#offered++
  }

  endOffer(): void {
    this.#offered--
  }

  /** Calls back once everything that the device may see by now has been handed over. */
  whenCaughtUp(callback: () => void): void {
    this.#waiters.push(callback)
    this.pump()
  }

  /** Tells the device how far it has read: now, or when what is left has been handed over. */
  sendCursor(caughtUp: Uint8Array): void {
    const { cursor } = this.#port
    if (this.#state !== 'running' || !cursor.hasCaughtUp) return
    if (!this.isAtRest || this.#offered > 0) cursor.owe()
    else this.#sendCaughtUp(caughtUp)
  }

  /** The network has taken what was outstanding. */
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
        // Something may have come in between the end of the loop and here.
        if (!this.#port.queue.isEmpty || (this.#waiters.length > 0 && this.#offered === 0)) this.pump()
      })
  }

  /** Nothing is to be read or sent: as for each follower after most edits. */
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

  /** Both users' records, and the levels that follow from them: as many as one read takes, and all of the first owner's. */
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
      // This session has asked again meanwhile, or a commit that was reported since the read began made a level stale.
      if (plan.entry.revision !== plan.revision || lacksStale(plan)) continue
      if (!this.#handOverOne(plan, records)) {
        // Without the lease what is left is read again when there is one.
        this.#isBlocked = this.#port.relay.reads.mayHandOver
        return
      }
    }
  }

  /** False when there was no room for all of it. */
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
    // Nothing to hand over: the device knows already what changed.
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

  /** Sends a frame if there is room for it, and the node's lease is current. Returns whether both was so. */
  trySend(frame: Uint8Array, withCursor: boolean): boolean {
    if (!this.#hasRoomFor(frame) || !this.#port.relay.reads.mayHandOver) return false
    this.#port.outlet.send(frame)
    this.#port.cursor.noteSent(withCursor)
    return true
  }

  #cursorIfLast(): Uint8Array {
    const { queue, cursor } = this.#port
    // What was offered is still to come: a device that left before it, with a later cursor, would never get it.
    return queue.isEmpty && this.#offered === 0 ? cursor.ofLastFrame() : noCursor
  }

  #sendCaughtUp(frame: Uint8Array): void {
    this.#port.cursor.noteCaughtUp()
    this.#port.outlet.send(frame)
  }

  /** A single frame may be larger than the room: then it goes when nothing else is outstanding. */
  #hasRoomFor(frame: Uint8Array): boolean {
    const { outlet, maxOutstandingBytes } = this.#port
    const { outstandingBytes } = outlet
    return outstandingBytes === 0 || outstandingBytes + frame.length <= maxOutstandingBytes
  }
}
