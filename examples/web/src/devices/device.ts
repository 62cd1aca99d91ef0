import { type Kith, KithError, openKith, type WebSocketConstructor } from '@kith/client'
import { circleNames } from '../circles.ts'
import { navigation } from '../navigation/navigation.ts'
import { t } from '../texts/texts.ts'
import { Emitter } from './emitter.ts'
import { errorWords } from './error-words.ts'
import { KeptMessages } from './kept-messages.ts'
import { type DeviceName, databaseOf, titleOf } from './name.ts'
import { isSwitchedOff, rememberSwitch } from './offline-switch.ts'
import { serverUrl } from './server-url.ts'
import { demoToken } from './token.ts'

export type DeviceState =
  | { state: 'opening' }
  | { state: 'open'; kith: Kith }
  /** There is no storage, or it is another user's. */
  | { state: 'failed'; error: KithError }
  /** `hasAccountEnded`: the account was erased on the server. */
  | { state: 'closed'; hasAccountEnded?: true }

/** A notice of a device to its user. */
export interface News {
  kind: 'joined' | 'message' | 'withdrawn' | 'changedHands' | 'done' | 'error'
  /** The person that it is about, if any. */
  person?: string
  text: string
  /** Undoes the action. */
  undo?: () => void
}

export interface Notice extends News {
  id: number
}

const mostNotices = 50
/** Long enough to read two lines twice. Errors stay until they are dismissed. */
const noticeMs = 12_000

/** One real client in this page, with its own database and connection. */
export class Device {
  readonly name: DeviceName
  readonly title: string
  /** The name of the device in the history and in storage. */
  readonly key: string
  readonly changes: Emitter = new Emitter()
  readonly messages: KeptMessages
  #socket: WebSocketConstructor | undefined
  #state: DeviceState = { state: 'opening' }
  #notices: readonly Notice[] = []
  #noticeCount = 0
  #isHighlighted = false

  /** The devices of the same user on this page, including this one. */
  readonly siblings: () => readonly Device[]

  constructor(name: DeviceName, siblings: () => readonly Device[], WebSocket?: WebSocketConstructor) {
    this.name = name
    this.siblings = siblings
    this.title = titleOf(name)
    this.key = databaseOf(name)
    this.messages = new KeptMessages(name)
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

  /** The client, when it is open. */
  get kith(): Kith | undefined {
    return this.#state.state === 'open' ? this.#state.kith : undefined
  }

  /** Opens the database, again if that failed before, and connects unless the user has switched the network off. */
  async open(): Promise<void> {
    this.#become({ state: 'opening' })
    const { user } = this.name
    try {
      const kith = await openKith({
        url: serverUrl(),
        ...{ user, token: () => demoToken(user), databaseName: this.key },
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

  /** Whether the story highlights this device, because something changed here. */
  get isHighlighted(): boolean {
    return this.#isHighlighted
  }

  highlight(isOn: boolean): void {
    this.#isHighlighted = isOn
    this.changes.emit()
  }

  /** The switch on the device, which is independent of whether there is a connection. */
  get isSwitchedOn(): boolean {
    return !isSwitchedOff(this.name)
  }

  /** The switch is stored, so it survives a reload of the page. */
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

  /** Deletes all data of this device. Rejects with `unsent-changes` unless forced. */
  async erase(force: boolean): Promise<void> {
    await this.kith?.erase({ force })
    this.messages.clear()
    this.#become({ state: 'closed' })
  }

  dismiss(notice: Notice): void {
    this.#notices = this.#notices.filter(one => one !== notice)
    this.changes.emit()
  }

  /** Removes the notices of a person's messages when their conversation is opened. */
  dismissMessagesOf(person: string): void {
    this.#notices = this.#notices.filter(one => one.kind !== 'message' || one.person !== person)
    this.changes.emit()
  }

  /** Sends a message, and stores it with its outcome. Rejects as `kith.send` does. */
  async send(to: string, text: string): Promise<void> {
    const { kith } = this
    if (!kith) return
    const message = { id: crypto.randomUUID(), with: to, text, atMs: Date.now() }
    this.messages.put({ ...message, state: 'sending' })
    try {
      this.messages.put({ ...message, state: await kith.send(to, text) })
    } catch (error) {
      this.messages.put({ ...message, state: 'undelivered' })
      throw error
    }
  }

  /** Shows a notice to the user; a repeated notice replaces the earlier one. */
  notify(news: News): void {
    this.#noticeCount++
    const notice = { ...news, id: this.#noticeCount }
    const { kind, person, text } = news
    const others = this.#notices.filter(one => one.kind !== kind || one.person !== person || one.text !== text)
    this.#notices = [...others.slice(1 - mostNotices), notice]
    this.changes.emit()
    if (kind !== 'error') setTimeout(() => this.dismiss(notice), noticeMs)
  }

  #listen(kith: Kith): void {
    const { joined, withdrawn, changedHands } = t.notices
    kith.on('joined', ({ id }) => this.notify({ kind: 'joined', person: id, text: joined }))
    kith.on('withdrawn', ({ id, isBlocked }, levels) => {
      if (isBlocked) return // Blocked by this user, who knows it.
      this.notify({ kind: 'withdrawn', person: id, text: withdrawn(circleNames(levels)) })
    })
    kith.on('changedHands', ({ id }) => this.notify({ kind: 'changedHands', person: id, text: changedHands }))
    kith.on('message', ({ id, from, text }) => {
      this.messages.put({ id, with: from, text, atMs: Date.now(), state: 'received' })
      if (!this.#isInTalkWith(from)) this.notify({ kind: 'message', person: from, text })
    })
    kith.on('error', error => {
      if (!this.#hasEnded(error)) this.notify({ kind: 'error', text: errorWords(error) })
    })
  }

  #isInTalkWith(id: string): boolean {
    const { tab, person, isTalk } = navigation.placeOf(this.key)
    return tab === 'contacts' && person === id && isTalk === true
  }

  /**
   * Returns whether another window erased this device, its account was erased, or its database is another user's: then its data
   * is no longer shown.
   */
  #hasEnded(error: KithError): boolean {
    if (error.code === 'closed') this.#become({ state: 'closed' })
    else if (error.code === 'account-erased') this.#become({ state: 'closed', hasAccountEnded: true })
    else if (error.code === 'wrong-user') this.#become({ state: 'failed', error })
    else return false
    if (error.code !== 'closed') this.messages.clear()
    this.#notices = []
    return true
  }

  #become(state: DeviceState): void {
    this.#state = state
    this.changes.emit()
  }
}
