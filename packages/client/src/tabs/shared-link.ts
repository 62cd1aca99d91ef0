import { KithError } from '@kith/shared'
import type { Status } from '../api/events.ts'
import type { Clock, Randomness } from '../clock.ts'
import { databaseFailure } from '../database/failure.ts'
import type { DeviceStore, OpenStore } from '../database/store.ts'
import { deliveryMs } from '../sync/direct-messages.ts'
import type { Delivery, LinkPort } from '../sync/port.ts'
import { within } from '../timeout.ts'
import type { TabChannel } from './channel.ts'
import { fenced } from './fence.ts'
import { Lease } from './lease.ts'
import { holdLock, type LockManagerLike } from './lock.ts'
import { Pulse } from './pulse.ts'
import {
  ask,
  askToSend,
  isCurrent,
  noteWish,
  type Question,
  type Reply,
  type Request,
  serve,
  takeWishes,
  type Wish,
  wish,
} from './requests.ts'
import { steppedDown } from './stepped-down.ts'
import type { TabsWatching } from './watching.ts'

/** What a client uses of its connection, whether that is shared by tabs or not. */
export interface DeviceLink extends LinkPort {
  wake(): void
  retryNow(): void
  readonly isWanted: boolean
}

/** A connection that this tab has of its own. */
export interface OwnLink extends DeviceLink {
  /** Ends it at once, and says so only to those who wait for it. */
  end(error: KithError): void
}

/** What a connection of a tab may use as long as no other tab has taken over. */
export interface Held {
  /** The store for this connection only. */
  fence(store: OpenStore): OpenStore
  setStatus(status: Status): void
  readonly lease: Lease
}

export interface SharedLinkPort {
  readonly store: DeviceStore
  readonly clock: Clock
  readonly randomness: Randomness
  readonly locks: LockManagerLike
  readonly lockName: string
  readonly channel: TabChannel
  /** This tab's own name among the tabs. */
  readonly tab: string
  readonly watching: TabsWatching
  newLink(held: Held): OwnLink
  /** This tab is the first, or goes on where another one ended. */
  tookOver(): Promise<void>
  setStatus(status: Status): void
  /** Reports what no call waits for, and gives it as the one error class. */
  failed(error: unknown): KithError
}

/** Nobody waits any longer for what was asked so long ago, or so long in the future by a clock that was set, in milliseconds. */
const lateMs = 15_000
/** How long a tab waits for the one with the socket to fetch a profile, in milliseconds. */
const fetchMs = 10_000
/** How long before the time of a message is up a tab takes it back, in milliseconds. */
const takingBackMs = 500
/** What is done however late. */
const patient: readonly Request['type'][] = ['connect', 'disconnect', 'whenSynced']

/**
 * The connection of a device with several tabs. One of them, the holder of a lock, has the socket; what the others want is
 * asked of it through the database. When it closes, another one takes over, and does what is asked by then:
 *
 *   following   asks the holder whether it is alive; waits for the lock
 *   leading     has the lock, a connection, and answers; until it closes, or another tab took the lock because it stood still
 *
 * A tab that stood still finds out before it sends or takes anything (`lease.ts`), and follows again.
 */
export class SharedLink implements DeviceLink {
  readonly #port: SharedLinkPort
  readonly #pulse: Pulse
  #release: () => void = () => undefined
  readonly #closing: AbortController = new AbortController()
  /** Whom the app in this tab looked at: a look lives as long as the tab, whichever has the socket [V7]. */
  readonly #looks: Set<string> = new Set()
  #own: OwnLink | undefined
  #lease: Lease | undefined
  /** Of the connection of this tab. */
  #ownStatus: Status = 'offline'
  #status: Status = 'offline'
  #terms = 0
  #stopServing: () => void = () => undefined
  /** What this tab wanted last and could not store. */
  #unkept: Wish | undefined
  /** Resolves when the tab with the connection has followed this tab's last wish. */
  #wished: Promise<void> = Promise.resolve()

  constructor(port: SharedLinkPort) {
    this.#port = port
    this.#pulse = new Pulse({
      ...{ clock: port.clock, randomness: port.randomness, channel: port.channel },
      status: () => this.#ownStatus,
      heard: status => this.#show(status),
      silent: () => this.#show('offline'),
      takeOver: () => this.#requestLock(true),
    })
  }

  /** Follows whichever tab leads, until this one gets the lock. */
  begin(): void {
    this.#pulse.follow()
    this.#requestLock(false)
  }

  connect(): void {
    this.#wish({ type: 'connect' })
  }

  /** A tab that has the connection ends it at once: what is changed after this call is not sent. */
  disconnect(): void {
    this.#own?.disconnect()
    this.#wish({ type: 'disconnect' })
  }

  async fetch(owner: string): Promise<void> {
    this.#looks.add(owner)
    const limit = new AbortController()
    const fetching = async (): Promise<void> => {
      await this.#wished // Else there is no connection yet to wait for.
      if (!limit.signal.aborted) await this.#ask({ type: 'fetch', owner }, limit.signal)
    }
    await within(this.#port.clock, fetchMs, fetching, () => limit.abort())
  }

  async send(to: string, text: string): Promise<Delivery> {
    const { clock } = this.#port
    if (this.#own) return this.#sendItself(this.#own, to, text, deliveryMs)
    const limit = new AbortController()
    const cancel = clock.after(deliveryMs - takingBackMs, () => limit.abort())
    const sending = (): Promise<Reply> => this.#ask({ type: 'send', to, text }, limit.signal)
    try {
      return (await within(clock, deliveryMs, sending, () => 'unconfirmed' as const)) ?? 'unconfirmed'
    } finally {
      cancel()
    }
  }

  watch(users: readonly string[]): void {
    this.#port.watching.want(users)
  }

  async whenSynced(signal: AbortSignal | undefined): Promise<void> {
    try {
      if (this.#own) return await this.#own.whenSynced(signal)
      await this.#port.store.idle()
      await this.#ask({ type: 'whenSynced' }, signal)
    } catch (error) {
      if (error !== steppedDown) throw error
      await this.whenSynced(signal)
    }
  }

  /** Another tab has the socket now, and doesn't know whom this one shows. */
  lookAgain(): void {
    if (this.#own) return
    for (const owner of this.#looks) {
      this.#ask({ type: 'fetch', owner }).catch((error: unknown) => this.#report(error))
    }
  }

  /** As it is known in this tab, whichever has the connection. */
  get status(): Status {
    return this.#status
  }

  /** The status of the connection of this tab. */
  setStatus(status: Status): void {
    if (!this.#own) return
    this.#ownStatus = status
    this.#show(status)
    this.#pulse.tell()
  }

  wake(): void {
    this.#own?.wake()
  }

  retryNow(): void {
    this.#own?.retryNow()
  }

  get isWanted(): boolean {
    return this.#own?.isWanted ?? false
  }

  /** A database was opened, which may not know what the app wants. */
  async noteWish(): Promise<void> {
    const own = this.#own
    if (own) await this.#port.store.use(db => noteWish(db, own.isWanted))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#stopServing()
    await this.#own?.close()
    this.#pulse.close()
    this.#port.watching.close()
    this.#release()
  }

  #wish(request: Wish): void {
    const { store, clock } = this.#port
    this.#unkept = undefined
    const heeded = wish(store, request, clock.now(), this.#closing.signal)
    this.#wished = heeded.catch((error: unknown) => {
      this.#report(error)
      if (this.#closing.signal.aborted) return
      // It cannot be stored: this tab, at least, follows it.
      this.#unkept = request
      if (this.#own) this.#heed(this.#own, request)
    })
  }

  #heed(own: OwnLink, { type }: Wish): void {
    if (type === 'connect') own.connect()
    else own.disconnect()
  }

  #show(status: Status): void {
    this.#status = status
    this.#port.setStatus(status)
  }

  #requestLock(isStolen: boolean): void {
    if (this.#closing.signal.aborted || this.#own) return
    const { locks, lockName } = this.#port
    this.#release()
    this.#release = holdLock(locks, lockName, () => this.#takeOver(), { lost: () => this.#stepDown(), isStolen })
  }

  #takeOver(): void {
    if (this.#closing.signal.aborted) return
    const { clock, locks, lockName, tab, watching } = this.#port
    this.#terms++
    const term = `${tab}/${this.#terms}`
    const announce = (): void => this.#pulse.announce()
    const lease = new Lease({ clock, locks, probeName: `${lockName}:probe:${tab}`, announce })
    const own = this.#port.newLink({
      fence: store => fenced(store, db => isCurrent(db, term)),
      setStatus: status => this.setStatus(status),
      lease,
    })
    this.#own = own
    this.#lease = lease
    this.#ownStatus = 'offline'
    this.#show('offline')
    this.#pulse.lead(lease)
    watching.takeOver(own)
    this.#port.tookOver().catch((error: unknown) => this.#report(error))
    this.#begin(own, term).catch((error: unknown) => this.#report(error))
  }

  /** Another tab has taken the lock: this one stood still for too long. */
  #stepDown(): void {
    const own = this.#own
    this.#lease?.end()
    this.#own = undefined
    this.#stopServing()
    this.#port.watching.stepDown()
    own?.end(steppedDown)
    if (this.#closing.signal.aborted) return
    this.#show('offline') // Until the other tab says otherwise.
    this.#pulse.follow()
    this.lookAgain()
    this.#requestLock(false)
  }

  async #begin(own: OwnLink, term: string): Promise<void> {
    const { store, clock } = this.#port
    const isWanted = await store.use(db => takeWishes(db, term))
    if (this.#closing.signal.aborted || this.#own !== own) return
    if (this.#unkept) this.#heed(own, this.#unkept)
    else if (isWanted) own.connect()
    for (const owner of this.#looks) own.fetch(owner).catch((error: unknown) => this.#report(error))
    this.#stopServing = serve(store, {
      term,
      handle: (request, askedAt) => this.#handle(own, request, askedAt),
      isLate: ({ type }, askedAt) => !patient.includes(type) && Math.abs(clock.now() - askedAt) > lateMs,
      failed: error => this.#port.failed(error),
    })
  }

  async #handle(own: OwnLink, request: Request, askedAt: number): Promise<Reply> {
    switch (request.type) {
      case 'connect':
      case 'disconnect':
        this.#heed(own, request)
        return undefined
      case 'fetch':
        await own.fetch(request.owner)
        return undefined
      case 'send':
        return this.#sendInTime(own, request, this.#leftMs(askedAt))
      case 'whenSynced':
        await own.whenSynced(undefined)
        return undefined
    }
  }

  /** How long the tab that asked waits for its message, which is answered a little before that. */
  #leftMs(askedAt: number): number {
    const ageMs = Math.max(0, this.#port.clock.now() - askedAt)
    return Math.max(0, deliveryMs - 2 * takingBackMs - ageMs)
  }

  async #sendInTime(own: OwnLink, { to, text }: { to: string; text: string }, leftMs: number): Promise<Delivery> {
    return leftMs > 0 ? this.#sendItself(own, to, text, leftMs) : 'undelivered'
  }

  async #sendItself(own: OwnLink, to: string, text: string, limitMs: number): Promise<Delivery> {
    try {
      return await own.send(to, text, limitMs)
    } catch (error) {
      if (error !== steppedDown) throw error
      return 'undelivered' // It was not handed to a socket.
    }
  }

  async #ask(request: Question, signal?: AbortSignal): Promise<Reply> {
    const { store, clock } = this.#port
    const askedAt = clock.now()
    if (this.#own) return this.#handle(this.#own, request, askedAt)
    const closing = this.#closing.signal
    const either = signal ? AbortSignal.any([closing, signal]) : closing
    try {
      const reply = await (request.type === 'send'
        ? askToSend(store, request, askedAt, either)
        : ask(store, request, askedAt, either))
      if (!closing.aborted || reply === 'delivered' || reply === 'unconfirmed') return reply
      throw new KithError('closed', 'This client was closed')
    } catch (error) {
      if (closing.aborted) throw new KithError('closed', 'This client was closed')
      if (signal?.aborted) throw new KithError('aborted', 'The wait was aborted', { cause: signal.reason })
      throw error instanceof KithError ? error : databaseFailure(error)
    }
  }

  #report(error: unknown): void {
    if (!this.#closing.signal.aborted) this.#port.failed(error)
  }
}
