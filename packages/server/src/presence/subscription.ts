import { encodeFrame, type PresenceState } from '@kith/shared/wire'
import type { Clock } from '../clock.ts'
import type { Device } from '../device.ts'
import { isOpen } from '../relations/standing.ts'
import type { Looked, View } from '../relations/views.ts'
import type { Follower } from '../relay/entry.ts'
import type { Relay } from '../relay/relay.ts'
import { mayKnowPresence } from './may-know-presence.ts'
import type { Presence } from './presence.ts'
import type { PresenceListener } from './subscriptions.ts'

/** A device gets the presence of one owner at most once in this time, unless it may no longer know it. */
const restMs = 10_000
/** The number of owners that are checked in one read. */
const batchSize = 32

/** A user whose presence the device watches. */
interface Watched {
  readonly owner: string
  /** Absent until the device has received its first answer. */
  sent: PresenceState | undefined
  /** Whether the device got anything of the owner's profile at the last check. */
  isSeen: boolean
  /** Whether the viewer saw what strangers see at the last check. */
  isOpen: boolean
  /** The owner came online or went offline on another node during the read, so the result may be outdated. */
  isStirred: boolean
  /** When the device last received a presence of the owner. */
  sentAtMs: number
  cancelRest: () => void
}

export interface SubscriptionPort {
  readonly user: string
  readonly relay: Relay
  readonly presence: Presence
  readonly feed: Follower
  readonly clock: Clock
  readonly maxOutstandingBytes: number
}

/**
 * The presences that one session receives. As for profiles, what is sent was read in the state that was reported last, and no
 * `await` is between the check and the sending [V4]. The queue holds names, never frames [F2].
 */
export class PresenceSubscription implements PresenceListener {
  readonly #port: SubscriptionPort
  readonly #outlet: Pick<Device, 'outstandingBytes' | 'send' | 'fail'>
  #watched = new Map<string, Watched>()
  #queue = new Set<Watched>()
  #isPumping = false
  #isClosed = false

  constructor(port: SubscriptionPort, outlet: Pick<Device, 'outstandingBytes' | 'send' | 'fail'>) {
    this.#port = port
    this.#outlet = outlet
    port.presence.subscriptions.open(port.user, this)
  }

  get user(): string {
    return this.#port.user
  }

  /** Returns how many of these owners are not watched yet. */
  countNew(owners: ReadonlySet<string>): number {
    return [...owners].filter(owner => !this.#watched.has(owner)).length
  }

  /** Watches these owners only. */
  replace(owners: ReadonlySet<string>): void {
    for (const one of this.#watched.values()) if (!owners.has(one.owner)) this.#drop(one)
    for (const owner of owners) if (!this.#watched.has(owner)) this.#begin(owner)
    this.#pump()
  }

  /** Reads again what the device may know about this owner. */
  ask(owner: string): void {
    const one = this.#watched.get(owner)
    if (!one) return
    this.#queue.add(one)
    this.#pump()
  }

  /**
   * The owner now hides the presence, or no longer hides it. A device that gets nothing of the owner's profile is not affected,
   * so nothing is read for it.
   */
  askIfSeen(owner: string): void {
    if (this.#watched.get(owner)?.isSeen) this.ask(owner)
  }

  /** The owner now shows strangers level 0, or no longer does. */
  askAsStranger(owner: string): void {
    if (this.#watched.get(owner)?.isOpen) this.ask(owner)
  }

  /**
   * This owner came online or went offline. Nothing is read for an owner about whom the device may know nothing. An owner whose
   * presence the device has just received is read again after the rest period.
   */
  stir(owner: string): void {
    const one = this.#watched.get(owner)
    if (!one) return
    one.isStirred = true
    this.#noteStir(one)
  }

  #noteStir(one: Watched): void {
    if (!one.sent || one.sent.is === 'unknown') return
    if (!this.#isResting(one)) this.ask(one.owner)
  }

  askAll(): void {
    for (const one of this.#watched.values()) this.#queue.add(one)
    this.#pump()
  }

  fail(error: unknown): void {
    this.#outlet.fail(error)
  }

  /** The network has accepted outstanding bytes. */
  onTaken(): void {
    this.#pump()
  }

  close(): void {
    this.#isClosed = true
    for (const one of this.#watched.values()) this.#drop(one)
    this.#port.presence.subscriptions.end(this.#port.user, this)
  }

  #begin(owner: string): void {
    const one: Watched = {
      owner,
      sent: undefined,
      isSeen: false,
      isOpen: false,
      isStirred: false,
      sentAtMs: Number.NEGATIVE_INFINITY,
      cancelRest: () => undefined,
    }
    this.#watched.set(owner, one)
    this.#port.presence.subscriptions.add(owner, this)
    this.#queue.add(one)
  }

  #drop(one: Watched): void {
    one.cancelRest()
    this.#watched.delete(one.owner)
    this.#queue.delete(one)
    this.#port.presence.subscriptions.remove(one.owner, this)
  }

  #pump(): void {
    if (this.#isPumping || this.#isClosed || this.#queue.size === 0 || !this.#hasRoom()) return
    this.#isPumping = true
    this.#handOver()
      .catch((error: unknown) => {
        if (!this.#isClosed) this.#outlet.fail(error)
      })
      .finally(() => {
        this.#isPumping = false
        this.#pump()
      })
  }

  async #handOver(): Promise<void> {
    const { relay } = this.#port
    while (this.#queue.size > 0 && this.#hasRoom() && !this.#isClosed) {
      const batch = [...this.#queue].slice(0, batchSize)
      const owners = batch.map(({ owner }) => owner)
      await relay.reads.read(
        () => this.#read(owners, batch),
        // Synchronous from here: what was just checked is sent.
        ({ views, elsewhere }) => {
          for (const [index, one] of batch.entries()) {
            // The rest is read again when the node has its lease.
            if (!relay.reads.mayHandOver) return
            if (this.#queue.delete(one)) this.#look(one, views[index] as View, elsewhere?.has(one.owner) === true)
          }
        },
      )
    }
  }

  /**
   * If there are other nodes, also reads which owners are online there. This is read for all owners alike, whatever the viewer
   * may know [V10].
   */
  #read(owners: readonly string[], batch: readonly Watched[]): Promise<Looked & { elsewhere?: ReadonlySet<string> }> {
    const { user, relay, presence } = this.#port
    const views = relay.store.views(user, owners)
    if (!presence.elsewhere) return views
    for (const one of batch) one.isStirred = false
    const online = presence.elsewhere.online(owners)
    return Promise.all([views, online]).then(([looked, elsewhere]) => ({ ...looked, elsewhere }))
  }

  #look(one: Watched, view: View, isOnlineElsewhere: boolean): void {
    one.isSeen = this.#port.feed.levelsOf(one.owner, view).length > 0
    one.isOpen = isOpen(view.viewer)
    this.#tell(one, this.#stateOf(one.owner, view, isOnlineElsewhere))
    if (one.isStirred && this.#port.presence.elsewhere) this.#noteStir(one)
  }

  /** Shows nothing about an owner whose profile this session does not get, for any reason [V1][V2][V3][V8]. */
  #stateOf(owner: string, view: View, isOnlineElsewhere: boolean): PresenceState {
    const { feed, presence } = this.#port
    if (!mayKnowPresence(feed, owner, view)) return { is: 'unknown' }
    if (isOnlineElsewhere || presence.isOnline(owner)) return { is: 'online' }
    // A time in the future was written by a wrong clock, and is ignored.
    const { lastSeenMinute = 0 } = view.owner
    const isPast = lastSeenMinute > 0 && lastSeenMinute * 60_000 <= this.#port.clock.now()
    return { is: 'offline', lastSeenMinute: isPast ? lastSeenMinute : undefined }
  }

  #tell(one: Watched, state: PresenceState): void {
    one.cancelRest()
    if (one.sent && isSame(one.sent, state)) return
    if (state.is !== 'unknown') {
      if (this.#isResting(one)) return
      one.sentAtMs = this.#port.clock.now()
    }
    one.sent = state
    this.#outlet.send(encodeFrame({ type: 'presence', owner: one.owner, state }))
  }

  /** The device has just got the presence of this owner: it is read again after the rest period. */
  #isResting(one: Watched): boolean {
    const { clock } = this.#port
    one.sentAtMs = Math.min(one.sentAtMs, clock.now()) // The machine's clock may have been set back.
    const leftMs = one.sentAtMs + restMs - clock.now()
    if (leftMs <= 0) return false
    one.cancelRest()
    one.cancelRest = clock.after(leftMs, () => this.ask(one.owner))
    return true
  }

  /** A frame of this kind is small, so it may exceed the room a little. */
  #hasRoom(): boolean {
    return this.#outlet.outstandingBytes < this.#port.maxOutstandingBytes
  }
}

function isSame(a: PresenceState, b: PresenceState): boolean {
  if (a.is !== 'offline' || b.is !== 'offline') return a.is === b.is
  return a.lastSeenMinute === b.lastSeenMinute
}
