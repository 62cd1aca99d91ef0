import type { Status } from '../api/events.ts'
import { asFailure, closed } from '../database/failure.ts'
import { deliveryMs } from '../sync/direct-messages.ts'
import type { Delivery } from '../sync/port.ts'
import { aborted } from '../sync/sync-waiters.ts'
import { within } from '../timeout.ts'
import { fenced } from './fence.ts'
import { Leading, takingBackMs } from './leading.ts'
import { Lease } from './lease.ts'
import { holdLock } from './lock.ts'
import { Pulse } from './pulse.ts'
import { ask, isCurrent, noteWish, type Question, type Reply, type Wish, wish } from './requests.ts'
import type { DeviceLink, SharedLinkPort } from './shared-link-port.ts'
import { steppedDown } from './stepped-down.ts'

/** How long a tab waits for the one with the socket to fetch a profile, in milliseconds. */
const fetchMs = 10_000

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
  /** While this tab has the socket. */
  #leading: Leading | undefined
  #lease: Lease | undefined
  /** Of the connection of this tab. */
  #ownStatus: Status = 'offline'
  #terms = 0
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
    this.#leading?.own.disconnect()
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
    if (this.#leading) return this.#leading.send(to, text, deliveryMs)
    const limit = new AbortController()
    const cancel = clock.after(deliveryMs - takingBackMs, () => limit.abort())
    const sending = (): Promise<Reply> => this.#ask({ type: 'send', to, text }, limit.signal).finally(cancel)
    return (await within(clock, deliveryMs, sending, () => undefined)) ?? 'unconfirmed'
  }

  watch(users: readonly string[]): void {
    this.#port.watching.want(users)
  }

  async whenSynced(signal: AbortSignal | undefined): Promise<void> {
    try {
      if (this.#leading) return await this.#leading.own.whenSynced(signal)
      await this.#port.store.idle()
      await this.#ask({ type: 'whenSynced' }, signal)
    } catch (error) {
      if (error !== steppedDown) throw error
      await this.whenSynced(signal)
    }
  }

  /** Another tab has the socket now, and doesn't know whom this one shows. */
  lookAgain(): void {
    if (this.#leading) return
    for (const owner of this.#looks) {
      this.#ask({ type: 'fetch', owner }).catch((error: unknown) => this.#report(error))
    }
  }

  /** The status of the connection of this tab. */
  #setStatus(status: Status): void {
    if (!this.#leading) return
    this.#ownStatus = status
    this.#show(status)
    this.#pulse.tell()
  }

  wake(): void {
    this.#leading?.own.wake()
  }

  retryNow(): void {
    this.#leading?.own.retryNow()
  }

  /** A database was opened, which may not know what the app wants. */
  async noteWish(): Promise<void> {
    const { own } = this.#leading ?? {}
    if (own) await this.#port.store.use(db => noteWish(db, own.isWanted))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#leading?.stop()
    await this.#leading?.own.close()
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
      void this.#leading?.handle(request, 0)
    })
  }

  #show(status: Status): void {
    this.#port.setStatus(status)
  }

  #requestLock(isStolen: boolean): void {
    if (this.#closing.signal.aborted || this.#leading) return
    const { locks, lockName } = this.#port
    this.#release()
    this.#release = holdLock(locks, lockName, () => this.#takeOver(), { lost: () => this.#stepDown(), isStolen })
  }

  #takeOver(): void {
    if (this.#closing.signal.aborted) return
    const { store, clock, locks, lockName, tab, watching, failed } = this.#port
    this.#terms++
    const term = `${tab}/${this.#terms}`
    const probeName = `${lockName}:probe:${tab}`
    const lease = new Lease({ clock, locks, probeName, announce: () => this.#pulse.announce() })
    const own = this.#port.newLink({
      fence: store => fenced(store, db => isCurrent(db, term)),
      setStatus: status => this.#setStatus(status),
      lease,
    })
    const leading = new Leading({ store, clock, own, term, failed })
    this.#leading = leading
    this.#lease = lease
    this.#ownStatus = 'offline'
    this.#show('offline')
    this.#pulse.lead(lease)
    watching.takeOver(own)
    this.#port.tookOver().catch((error: unknown) => this.#report(error))
    this.#begin(leading).catch((error: unknown) => this.#report(error))
  }

  /** Another tab has taken the lock: this one stood still for too long. */
  #stepDown(): void {
    const leading = this.#leading
    this.#lease?.end()
    this.#leading = undefined
    leading?.stop()
    this.#port.watching.stepDown()
    leading?.own.end(steppedDown)
    if (this.#closing.signal.aborted) return
    this.#show('offline') // Until the other tab says otherwise.
    this.#pulse.follow()
    this.lookAgain()
    this.#requestLock(false)
  }

  async #begin(leading: Leading): Promise<void> {
    const isWanted = await leading.begin()
    if (isWanted === undefined) return
    if (this.#unkept) void leading.handle(this.#unkept, 0)
    else if (isWanted) leading.own.connect()
    for (const owner of this.#looks) leading.own.fetch(owner).catch((error: unknown) => this.#report(error))
    leading.serve()
  }

  async #ask(request: Question, signal?: AbortSignal): Promise<Reply> {
    const { store, clock } = this.#port
    const askedAt = clock.now()
    if (this.#leading) return this.#leading.handle(request, askedAt)
    const closing = this.#closing.signal
    const either = signal ? AbortSignal.any([closing, signal]) : closing
    try {
      const reply = await ask(store, request, askedAt, either)
      if (!closing.aborted || reply === 'delivered' || reply === 'unconfirmed') return reply
      throw closed()
    } catch (error) {
      if (closing.aborted) throw closed()
      if (signal?.aborted) throw aborted(signal)
      throw asFailure(error)
    }
  }

  #report(error: unknown): void {
    if (!this.#closing.signal.aborted) this.#port.failed(error)
  }
}
