import { type Kith, openKith, type Presence } from '@kith/client'
import { type ContentLimits, defaultContentLimits, type KeyChange } from '@kith/shared'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { coreOf, type DexieDatabase, decodeChanges, dexieOf, type OutboxRow } from '../../support/client-internals.ts'
import { copyOf, done } from '../../support/database-copy.ts'
import type { Facts } from '../model/edits.ts'
import type { Operation } from '../model/plans.ts'
import { Channels } from './channels.ts'
import type { WorldClock } from './clock.ts'
import { type Documents, factsOfMaps } from './documents.ts'
import { readAgain } from './live-queries.ts'
import { Locks } from './locks.ts'
import { MortalDatabase } from './mortal-database.ts'
import type { Network } from './network.ts'
import type { Seeded } from './seeded.ts'
import type { Standstill } from './standstill.ts'

/** An entry that a device wrote into its outbox. */
export interface Written {
  document: 'roster' | 'profile'
  update: Uint8Array
  changes: readonly KeyChange[]
  /** The entry repeats earlier ones: after a refusal, or for a server that may have room for it now [D5][D6]. */
  isAgain?: boolean
  /** The repeated content was acknowledged. */
  isRemade?: boolean
  /** The reason why a server refused the change. Then the update is empty, and the changes are an overlay on the document. */
  refusal?: string
}

export interface DeviceParts {
  clock: WorldClock
  network: Network
  standstill: Standstill
  randomness: Seeded
  token(user: string): Promise<string>
  /** Several tabs may have a device's database open. */
  hasTabs: boolean
  /** A device accepted a message. */
  took(text: string): void
  wrong(what: string): void
  isAnnounced(user: string): boolean
  /** A tab was notified that its account was erased, and has deleted all data of its device [D7]. */
  erased(tab: Tab): void
}

const databaseName = 'kith'

/** One installation: its database, and the tabs that have it open. */
export class Device {
  readonly user: string
  readonly name: string
  readonly parts: DeviceParts
  readonly locks: Locks
  readonly channels: Channels
  indexedDB: IDBFactory = new IDBFactory()
  tabs: Tab[] = []
  wasOpened = false
  /** Whether it is behind a partition that nothing passes. */
  isCut = false
  /** An earlier copy of the database. */
  backup: IDBFactory | undefined
  /** The incarnation of its account that it has synced with, as the number of earlier erasures [D7]. */
  incarnation: number | undefined
  #backupIncarnation: number | undefined
  /** Edits that are on this device's disk. */
  safe = new Set<number>()
  /** Edits that its documents contained at some time. */
  met = new Set<number>()
  /** Facts that it took back while they were only refused, each with the number of edits until then. */
  readonly #takenBack = new Map<string, number>()
  /** How often its documents had been replaced at the last check. */
  generation: number | undefined
  /** Users whose `joined` notice it received. */
  told = new Set<string>()
  /** How often a lying server has answered it. */
  liedTo = 0
  /** It was never killed, and its database was never lost or replaced. */
  isWhole = true
  /** The first position up to which it had read its feed. */
  firstPosition: number | undefined

  constructor(user: string, name: string, parts: DeviceParts) {
    this.user = user
    this.name = name
    this.parts = parts
    this.locks = new Locks(parts.standstill)
    this.channels = new Channels(parts.standstill)
  }

  /** The tab that acts: the first. */
  get tab(): Tab | undefined {
    return this.tabs[0]
  }

  async openTab(connect: boolean): Promise<Tab> {
    this.wasOpened = true
    const tab = new Tab(this)
    this.tabs.push(tab)
    await tab.open(connect)
    return tab
  }

  /** Kills `count` of its tabs, the acting tab first, as an empty battery does. */
  kill(count: number = this.tabs.length): void {
    const tabs = this.tabs.splice(0, count)
    for (const tab of tabs) tab.kill()
    if (tabs.length > 0) this.isWhole = false
  }

  /** Closes `count` of its tabs, the acting tab first. */
  async close(count: number = this.tabs.length): Promise<void> {
    const tabs = this.tabs.splice(0, count)
    for (const tab of tabs) await tab.kith?.close()
    for (const tab of tabs) tab.kill()
  }

  /** The server may announce these users again. */
  forgetJoins(): void {
    this.told = new Set()
    for (const tab of this.tabs) tab.forgetJoins()
  }

  /** Freezes the acting tab, if another tab can act from now on. */
  freeze(): void {
    const [tab, other] = this.tabs
    if (!tab || !other || this.parts.standstill.isOn(other)) return
    tab.freeze()
    this.turn()
  }

  /** The frozen tab continues. */
  thaw(): void {
    for (const tab of this.tabs) if (this.parts.standstill.isOn(tab)) tab.thaw()
  }

  /** Another of its tabs acts from now on. */
  turn(): void {
    this.tabs.push(...this.tabs.splice(0, 1))
  }

  /** Resets what is known of its database, because it has another one from now on. */
  forget(): void {
    this.safe = new Set()
    this.met = new Set()
    this.generation = undefined
    this.told = new Set()
    this.isWhole = false
    this.firstPosition = undefined
    this.incarnation = undefined
  }

  /** Its database becomes a copy of its backup. */
  restore(): void {
    if (this.backup) this.indexedDB = this.backup
    this.backup = undefined
    this.forget()
    this.incarnation = this.#backupIncarnation
  }

  takeBack(names: readonly string[], count: number): void {
    for (const name of names) this.#takenBack.set(name, count)
  }

  /** Whether it took back what an edit said, or ever took back a fact of this name. */
  hasTakenBack(name: string, edit = -1): boolean {
    return edit < (this.#takenBack.get(name) ?? -1)
  }

  /** Whether it was notified that a user joined. */
  wasToldOf(owner: string): boolean {
    return this.told.has(owner)
  }

  /** The updates in the outbox, read from the disk. */
  async outbox(): Promise<Written[]> {
    if (!(await this.#hasDatabase())) return []
    const database = await done(this.indexedDB.open(databaseName))
    const rows: OutboxRow[] = await done(database.transaction('outbox').objectStore('outbox').getAll())
    database.close()
    return rows.map(row => writtenOf(row, () => false))
  }

  async backUp(): Promise<void> {
    if (!(await this.#hasDatabase())) return
    this.backup = await copyOf(this.indexedDB, databaseName)
    this.#backupIncarnation = this.incarnation
  }

  async #hasDatabase(): Promise<boolean> {
    return (await this.indexedDB.databases()).some(({ name }) => name === databaseName)
  }
}

/** One process that has a device's database open. */
export class Tab {
  readonly device: Device
  kith: Kith | undefined
  #database: MortalDatabase
  #written: Written[] = []
  #promised: readonly Written[] = []
  #told = new Set<string>()
  #messages = new Set<string>()
  #watches = new Map<string, { unsubscribe(): void }>()
  /** The presences that the app in it shows of the users whom it watches. */
  readonly presences = new Map<string, Presence | undefined>()
  /** What the app wanted to save of each user and could not, because it exceeded a limit. */
  readonly staged = new Map<string, Operation & { type: 'save' }>()

  constructor(device: Device) {
    this.device = device
    this.#database = new MortalDatabase(device.indexedDB)
  }

  get user(): string {
    return this.device.user
  }

  /** The user's documents, as it has them in memory. */
  get documents(): Documents {
    if (!this.kith) throw new Error('a tab that is not open has no documents')
    const { roster, profile } = coreOf(this.kith).store.documents
    return { roster: roster.doc, profile: profile.doc }
  }

  /** The user's own documents as the app shows them: the refused changes are an overlay. */
  get view(): Facts {
    if (!this.kith) throw new Error('a tab that is not open shows nothing')
    const { roster, profile } = coreOf(this.kith).store.documents
    return factsOfMaps(roster.view, profile.view)
  }

  /** The changes that a server refused, unless something else was said since. */
  get refused(): readonly KeyChange[] {
    const { roster, profile } = (this.kith && coreOf(this.kith).store.documents) ?? {}
    return [...(roster?.refused ?? []), ...(profile?.refused ?? [])]
  }

  /** Whether the last server of this device had lower limits than the defaults. */
  get hasLowLimits(): boolean {
    const limits = (this.kith && coreOf(this.kith).store.documents.limits) ?? defaultContentLimits
    return (Object.keys(limits) as (keyof ContentLimits)[]).some(name => limits[name] < defaultContentLimits[name])
  }

  async open(connect: boolean): Promise<void> {
    const { user, parts, locks, channels } = this.device
    const kith = await openKith({
      url: 'ws://kith.example',
      token: () => parts.token(user),
      user,
      connect: false,
      databaseName,
      indexedDB: this.#database.factory,
      IDBKeyRange,
      ...(parts.hasTabs ? { locks: locks.of(this), openChannel: channels.of(this) } : { locks: null }),
      clock: parts.clock.of(this),
      randomness: parts.randomness,
      WebSocket: parts.network.webSocketOf(this),
    })
    const { store } = coreOf(kith)
    this.#noteWrites(dexieOf(kith))
    store.onOpen(() => this.#noteWrites(dexieOf(kith)))
    // By now the client has written what it offers again when it opens.
    for (const row of await store.db.outbox.toArray()) this.#written.unshift(writtenOf(row, () => true))
    kith.on('message', ({ text }) => {
      parts.took(text)
      if (this.#messages.has(text)) parts.wrong(`a tab of ${this.device.name} showed a message twice`)
      this.#messages.add(text)
    })
    kith.on('status', status => {
      if (status === 'synced' && kith.unsent > 0)
        parts.wrong(`${this.device.name} says synced with something unsent [D6]`)
    })
    kith.on('joined', profile => this.#joined(profile.id))
    kith.on('error', ({ code }) => {
      if (code === 'account-erased') parts.erased(this)
    })
    this.kith = kith
    if (connect) kith.connect()
  }

  /** Records from now on what is written into the outbox of a database. */
  #noteWrites(db: DexieDatabase): void {
    const rebuilding = new WeakSet<object>()
    // Replaced documents have another generation. The outbox rows that the same transaction writes repeat earlier changes.
    db.meta.hook('updating', (changes, key, _row, transaction) => {
      if (key === 'head' && isOtherGeneration(changes)) rebuilding.add(transaction)
    })
    db.outbox.hook('creating', (_key, row, transaction) => {
      this.#written.push(writtenOf(row, () => rebuilding.has(transaction)))
    })
  }

  /** At most once in 30 days, which is longer than any history, also across incarnations of the account [F3]. */
  #joined(owner: string): void {
    const { device } = this
    // Each tab receives the event.
    if (!device.parts.isAnnounced(owner)) device.parts.wrong(`${device.name} was told that ${owner} joined [F3]`)
    if (this.#told.has(owner)) device.parts.wrong(`${device.name} was told twice that ${owner} joined [F3]`)
    this.#told.add(owner)
    device.told.add(owner)
  }

  forgetJoins(): void {
    this.#told = new Set()
  }

  watch(owner: string): void {
    const presence = this.kith?.livePresence(owner)
    if (!presence || this.#watches.has(owner)) return
    this.presences.set(owner, undefined)
    this.#watches.set(
      owner,
      presence.subscribe(shown => this.presences.set(owner, shown)),
    )
  }

  unwatch(owner: string): void {
    this.#watches.get(owner)?.unsubscribe()
    this.#watches.delete(owner)
    this.presences.delete(owner)
  }

  /** Returns the entries written since the last call. */
  takeWritten(): Written[] {
    return this.#written.splice(0)
  }

  /** The app was notified that all written entries are saved. */
  promise(): void {
    this.#promised = [...this.#written]
  }

  /** Returns the entries written before the kill, and which of them are promised. */
  takeLast(): { rows: Written[]; promised: readonly Written[] } {
    const rows = this.takeWritten()
    return { rows, promised: this.#promised.filter(written => rows.includes(written)) }
  }

  /** Freezes the tab until `thaw`. Database operations in progress complete, and no new ones begin. */
  freeze(): void {
    if (!this.kith) return
    this.device.parts.standstill.begin(this)
    for (const table of tablesOf(this.kith)) table._trans = () => new Promise(() => undefined)
  }

  thaw(): void {
    const { standstill, randomness } = this.device.parts
    if (!this.kith) return
    for (const table of tablesOf(this.kith)) delete table._trans
    standstill.run(this, readAgain)
    standstill.end(this, count => Math.floor(randomness.fraction() * count))
  }

  kill(): void {
    const { parts, locks, channels } = this.device
    const { kith } = this
    this.kith = undefined
    for (const owner of [...this.presences.keys()]) this.unwatch(owner)
    parts.clock.kill(this)
    for (const wire of parts.network.wires) if (wire.caller === this) wire.silence('device')
    this.#database.kill()
    // Otherwise Dexie keeps it for ever, and notifies it of every change anywhere.
    kith && coreOf(kith).store.db.close()
    locks.kill(this)
    channels.kill(this)
    parts.standstill.forget(this)
  }
}

/** `isAgain` is called when the transaction is over. */
function writtenOf(row: OutboxRow, isAgain: () => boolean): Written {
  const { document, update, isRemade = false, reported, refusal } = row
  return {
    document,
    update,
    changes: decodeChanges(row.changes),
    isRemade,
    ...(refusal !== undefined && { refusal }),
    get isAgain() {
      return isRemade || reported !== undefined || isAgain()
    },
  }
}

function isOtherGeneration(changes: object): boolean {
  const { value } = changes as { value?: { generation?: number } }
  return 'value.generation' in changes || value?.generation !== undefined
}

/** Every read outside a transaction goes through this method of a table. */
function tablesOf(kith: Kith): { _trans?: () => Promise<never> }[] {
  const db = dexieOf(kith)
  return db.tables.map(({ name }) => db[name as keyof typeof db] as { _trans?: () => Promise<never> })
}
