import type { Status } from '../api/events.ts'
import { deliveryMs } from '../sync/direct-messages.ts'
import type { Delivery } from '../sync/port.ts'
import { within } from '../timeout.ts'
import { fenced } from './fence.ts'
import { Leading } from './leading.ts'
import { Lease } from './lease.ts'
import { holdLock } from './lock.ts'
import { Pulse } from './pulse.ts'
import { Questions } from './questions.ts'
import type { DeviceLink, SharedLinkPort } from './shared-link-port.ts'
import { steppedDown } from './stepped-down.ts'
import type { Answered, Asked, Question, Reply } from './tab-messages.ts'
import { isCurrent, noteWish, storeWish } from './wishes.ts'

/** How long a tab waits for the tab with the socket to fetch a profile, in milliseconds. */
const fetchMs = 10_000
/** How long before its timeout a tab takes a message back, in milliseconds. */
const takingBackMs = 500

/**
 * The connection of a device with several tabs. One of them, the holder of a lock, has the socket; the others ask it over their
 * channel. When it closes, another one takes over, and is asked again:
 *
 *   following   asks the holder whether it is alive; waits for the lock
 *   leading     has the lock and a connection, and answers; until it closes, or another tab takes the lock from a suspended tab
 *
 * A tab that was suspended finds out before it sends or accepts anything (`lease.ts`), and follows again.
 */
export class SharedLink implements DeviceLink {
  readonly #port: SharedLinkPort
  readonly #pulse: Pulse
  readonly #questions: Questions
  #release: () => void = () => undefined
  readonly #closing: AbortController = new AbortController()
  /**
   * The users whose profiles the app accessed in this tab. An access lasts as long as the tab, whichever has the socket [V7].
   */
  readonly #looks: Set<string> = new Set()
  /** Set while this tab has the socket. */
  #leading: Leading | undefined
  #lease: Lease | undefined
  /** The status of this tab's own connection. */
  #ownStatus: Status = 'offline'
  #terms = 0
  /** No other tab was open before this one, as far as is known. */
  #isFirst = true
  /** Resolves when the tab with the connection has applied this tab's last wish. */
  #wished: Promise<void> = Promise.resolve()

  constructor(port: SharedLinkPort) {
    this.#port = port
    this.#questions = new Questions({
      ...{ clock: port.clock, tab: port.tab, closing: this.#closing.signal },
      post: message => {
        if (this.#leading) this.#leading.hear(message)
        else port.post(message)
      },
    })
    this.#pulse = new Pulse({
      ...{ clock: port.clock, randomness: port.randomness, channel: port.channel },
      status: () => this.#ownStatus,
      heard: status => {
        this.#isFirst = false
        this.#show(status)
      },
      silent: () => this.#show('offline'),
      takeOver: () => this.#requestLock(true),
    })
  }

  /** Follows the leading tab, until this one gets the lock. */
  begin(): void {
    this.#pulse.follow()
    this.#requestLock(false)
  }

  connect(): void {
    this.#wish(true)
  }

  /** A tab that has the connection ends it immediately: changes after this call are not sent. */
  disconnect(): void {
    this.#leading?.own.disconnect()
    this.#wish(false)
  }

  async fetch(owner: string): Promise<void> {
    this.#looks.add(owner)
    const limit = new AbortController()
    const fetching = async (): Promise<void> => {
      await this.#wished // Otherwise, there is no connection yet to wait for.
      if (!limit.signal.aborted) await this.#ask({ type: 'fetch', owner }, limit.signal)
    }
    await within(this.#port.clock, fetchMs, fetching, () => limit.abort())
  }

  async send(to: string, text: string): Promise<Delivery> {
    const { clock } = this.#port
    if (this.#leading) return this.#leading.send(to, text)
    const limit = new AbortController()
    const cancel = clock.after(deliveryMs - takingBackMs, () => limit.abort())
    return (await this.#ask({ type: 'send', to, text }, limit.signal).finally(cancel)) ?? 'unconfirmed'
  }

  /** Another tab asks or answers. */
  hear(message: Asked | Answered): void {
    if (message.type === 'question' || message.type === 'go' || message.type === 'cancel') this.#leading?.hear(message)
    else this.#questions.hear(message)
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

  /** Another tab has the socket now, and does not know the accessed profiles of this one. */
  lookAgain(): void {
    if (this.#leading) return
    for (const owner of this.#looks) {
      this.#ask({ type: 'fetch', owner }).catch((error: unknown) => this.#report(error))
    }
  }

  /** Sets the status of this tab's connection. */
  #setStatus(status: Status): void {
    if (!this.#leading) return
    this.#ownStatus = status
    this.#show(status)
    this.#pulse.tell()
  }

  wake(): void {
    this.#leading?.wake()
    this.#leading?.own.wake()
  }

  retryNow(): void {
    this.#leading?.own.retryNow()
  }

  /** A database was opened that may not know whether the app wants to be connected. */
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

  #wish(isWanted: boolean): void {
    this.#wished = this.#follow(isWanted).catch((error: unknown) => this.#report(error))
  }

  async #follow(isWanted: boolean): Promise<void> {
    let unstored: boolean | undefined
    try {
      await this.#port.store.use(db => storeWish(db, isWanted))
      this.wake()
    } catch (error) {
      this.#report(error)
      unstored = isWanted
    }
    await this.#ask({ type: 'wish', isWanted: unstored })
  }

  #show(status: Status): void {
    this.#port.setStatus(status)
  }

  #requestLock(isStolen: boolean): void {
    if (this.#closing.signal.aborted || this.#leading) return
    if (isStolen) this.#isFirst = false
    const { locks, lockName } = this.#port
    this.#release()
    this.#release = holdLock(locks, lockName, () => this.#takeOver(), { lost: () => this.#stepDown(), isStolen })
  }

  #takeOver(): void {
    if (this.#closing.signal.aborted) return
    const { store, clock, randomness, locks, lockName, tab, watching, failed } = this.#port
    this.#terms++
    const term = `${tab}/${this.#terms}`
    const probeName = `${lockName}:probe:${tab}`
    const lease = new Lease({ clock, locks, probeName, announce: () => this.#pulse.announce() })
    const own = this.#port.newLink({
      fence: store => fenced(store, db => isCurrent(db, term)),
      setStatus: status => this.#setStatus(status),
      lease,
    })
    const leading = new Leading({
      ...{ store, clock, randomness, lease, own, term, failed },
      post: message => {
        this.#port.post(message)
        this.#questions.hear(message)
      },
    })
    this.#leading = leading
    this.#lease = lease
    this.#ownStatus = 'offline'
    this.#show('offline')
    this.#pulse.lead(lease)
    watching.takeOver(own)
    this.#port.tookOver(this.#isFirst).catch((error: unknown) => this.#report(error))
    this.#isFirst = false
    this.#begin(leading).catch((error: unknown) => this.#report(error))
  }

  /** Another tab has taken the lock: this one was suspended for too long. */
  #stepDown(): void {
    const leading = this.#leading
    this.#lease?.end()
    this.#leading = undefined
    leading?.stop()
    this.#port.watching.stepDown()
    leading?.own.end(steppedDown)
    this.#questions.hear({ type: 'leading' })
    if (this.#closing.signal.aborted) return
    this.#show('offline') // Until the other tab reports another status.
    this.#pulse.follow()
    this.lookAgain()
    this.#requestLock(false)
  }

  async #begin(leading: Leading): Promise<void> {
    const isWanted = await leading.begin()
    if (isWanted === undefined) return
    if (isWanted) leading.own.connect()
    for (const owner of this.#looks) leading.own.fetch(owner).catch((error: unknown) => this.#report(error))
    leading.serve()
  }

  async #ask(question: Question, signal?: AbortSignal): Promise<Reply> {
    return this.#leading?.isServing ? this.#leading.handle(question, signal) : this.#questions.ask(question, signal)
  }

  #report(error: unknown): void {
    if (!this.#closing.signal.aborted) this.#port.failed(error)
  }
}
