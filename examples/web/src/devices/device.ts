import { type IncomingMessage, type Kith, KithError, openKith, type WebSocketConstructor } from '@kith/client'
import { Emitter } from './emitter.ts'
import { type DeviceName, databaseOf, titleOf } from './name.ts'
import { isSwitchedOff, rememberSwitch } from './offline-switch.ts'
import { demoToken } from './token.ts'

export type DeviceState =
  | { state: 'opening' }
  | { state: 'open'; kith: Kith }
  /** There is no storage, or it is somebody else's. */
  | { state: 'failed'; error: KithError }
  /** `hasAccountEnded`: the account was erased on the server. */
  | { state: 'closed'; hasAccountEnded?: true }

/** Something that a device says to its user. */
export interface Notice {
  id: number
  kind: 'joined' | 'message' | 'withdrawn' | 'changedHands' | 'error'
  /** Whom it is about, if anybody. */
  person: string | undefined
  text: string
}

const mostNotices = 50
/** Long enough to read two lines twice. Errors stay until they are dismissed. */
const noticeMs = 12_000

/** One real client in this page, with a database and a connection of its own. */
export class Device {
  readonly name: DeviceName
  readonly title: string
  readonly changes: Emitter = new Emitter()
  #socket: WebSocketConstructor | undefined
  #state: DeviceState = { state: 'opening' }
  #notices: readonly Notice[] = []
  #messages: readonly IncomingMessage[] = []
  #noticeCount = 0
  #shown: string | undefined

  constructor(name: DeviceName, WebSocket?: WebSocketConstructor) {
    this.name = name
    this.title = titleOf(name)
    this.#socket = WebSocket
    void this.open()
  }

  get state(): DeviceState {
    return this.#state
  }

  /** Newest last. */
  get notices(): readonly Notice[] {
    return this.#notices
  }

  /** What came while this page was open, oldest first. */
  get messages(): readonly IncomingMessage[] {
    return this.#messages
  }

  /** Whose page it shows; `undefined`: the list of contacts. */
  get shown(): string | undefined {
    return this.#shown
  }

  show(contact: string | undefined): void {
    this.#shown = contact
    this.changes.emit()
  }

  /** The client, when it is open. */
  get kith(): Kith | undefined {
    return this.#state.state === 'open' ? this.#state.kith : undefined
  }

  /** Opens the database, again if that failed before, and connects unless the user switched the network off. */
  async open(): Promise<void> {
    this.#become({ state: 'opening' })
    const { user } = this.name
    try {
      const kith = await openKith({
        url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}`,
        ...{ user, token: () => demoToken(user), databaseName: databaseOf(this.name) },
        ...{ connect: !isSwitchedOff(this.name), ...(this.#socket && { WebSocket: this.#socket }) },
      })
      if (this.#state.state === 'closed') return await kith.close()
      this.#listen(kith)
      this.#become({ state: 'open', kith })
    } catch (error) {
      const failure = error instanceof KithError ? error : new KithError('database-failed', String(error))
      this.#become({ state: 'failed', error: failure })
    }
  }

  /** The switch on the device, which says nothing of whether there is a connection. */
  get isSwitchedOn(): boolean {
    return !isSwitchedOff(this.name)
  }

  /** A page loaded anew leaves the switch as it was. */
  setOnline(isOnline: boolean): void {
    rememberSwitch(this.name, !isOnline)
    this.changes.emit()
    if (isOnline) this.kith?.connect()
    else this.kith?.disconnect()
  }

  async close(): Promise<void> {
    const { kith } = this
    this.#become({ state: 'closed' })
    await kith?.close()
  }

  /** Forgets everything that this device holds. Rejects with `unsent-changes` unless forced. */
  async erase(force: boolean): Promise<void> {
    await this.kith?.erase({ force })
    this.#become({ state: 'closed' })
  }

  dismiss(notice: Notice): void {
    this.#notices = this.#notices.filter(one => one !== notice)
    this.changes.emit()
  }

  /** Says something to the user; what was said already is said anew, in place of that. */
  notify(kind: Notice['kind'], person: string | undefined, text: string): void {
    this.#noticeCount++
    const notice = { id: this.#noticeCount, kind, person, text }
    const others = this.#notices.filter(one => one.kind !== kind || one.person !== person || one.text !== text)
    this.#notices = [...others.slice(1 - mostNotices), notice]
    this.changes.emit()
    if (kind !== 'error') setTimeout(() => this.dismiss(notice), noticeMs)
  }

  #listen(kith: Kith): void {
    kith.on('joined', ({ id }) => this.notify('joined', id, 'is here now'))
    kith.on('withdrawn', ({ id, isBlocked }, levels) => {
      if (isBlocked) return // By this user, who knows.
      this.notify('withdrawn', id, `no longer shows you level ${levels.join(', ')}: it is gone from this device`)
    })
    kith.on('changedHands', ({ id }) =>
      this.notify('changedHands', id, 'may be another person now: the account was erased'),
    )
    kith.on('message', message => {
      this.#messages = [...this.#messages.slice(-200), message]
      this.notify('message', message.from, message.text)
    })
    kith.on('error', error => {
      if (!this.#hasEnded(error)) this.notify('error', undefined, error.message)
    })
  }

  /** Another window erased this device, its account was erased, or its database is somebody else's: nothing of it is shown any longer. */
  #hasEnded(error: KithError): boolean {
    if (error.code === 'closed') this.#become({ state: 'closed' })
    else if (error.code === 'account-erased') this.#become({ state: 'closed', hasAccountEnded: true })
    else if (error.code === 'wrong-user') this.#become({ state: 'failed', error })
    else return false
    this.#messages = []
    this.#notices = []
    this.#shown = undefined
    return true
  }

  #become(state: DeviceState): void {
    this.#state = state
    this.changes.emit()
  }
}
