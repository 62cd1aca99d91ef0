import { type Kith, openKith, type Presence } from '@kith/client'
import { type ContentLimits, defaultContentLimits, type KeyChange } from '@kith/shared'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { coreOf, type DexieDatabase, decodeChanges, dexieOf, type OutboxRow } from '../../support/client-internals.ts'
import { copyOf, done } from '../../support/database-copy.ts'
import type { Facts } from '../model/edits.ts'
import { Channels } from './channels.ts'
import type { WorldClock } from './clock.ts'
import { type Documents, factsOfMaps } from './documents.ts'
import { readAgain } from './live-queries.ts'
import { Locks } from './locks.ts'
import { MortalDatabase } from './mortal-database.ts'
import type { Network } from './network.ts'
import type { Seeded } from './seeded.ts'
import type { Standstill } from './standstill.ts'

/** Something that a device wrote into its outbox. */
export interface Written {
  document: 'roster' | 'profile'
  update: Uint8Array
  changes: readonly KeyChange[]
  /** It says once more what others said: after a refusal, or for a server that may have room for it now [D5][D6]. */
  isAgain?: boolean
  /** What it says was acknowledged. */
  isRemade?: boolean
  /** A server did not take it: the update is empty, and the changes lie over the document. */
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
  /** A device took a message. */
  took(text: string): void
  wrong(what: string): void
  isAnnounced(user: string): boolean
  /** A tab was told that its account was erased, and has deleted what its device held [D7]. */
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
  /** Behind a partition: nothing comes or goes. */
  isCut = false
  /** A copy of the database as it was once. */
  backup: IDBFactory | undefined
  /** The incarnation of its account that it has synced with, by the number of erasures before [D7]. */
  incarnation: number | undefined
  #backupIncarnation: number | undefined
  /** Edits that are on this device's disk. */
  safe = new Set<number>()
  /** Edits that its documents had at some time. */
  met = new Set<number>()
  /** Facts that it took back while they were only refused, each with the number of edits until then. */
  readonly #takenBack = new Map<string, number>()
  /** How often its documents were replaced, when last asked. */
  generation: number | undefined
  /** Who, as it was told, has joined. */
  told = new Set<string>()
  /** How often a server that lies has answered it. */
  liedTo = 0
  /** It was neither killed nor was its database lost or replaced. */
  isWhole = true
  /** Up to where it had read its feed when it first had. */
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

  /** So many of its tabs, the one that acts before the others, end as a battery does. */
  kill(count: number = this.tabs.length): void {
    const tabs = this.tabs.splice(0, count)
    for (const tab of tabs) tab.kill()
    if (tabs.length > 0) this.isWhole = false
  }

  /** Closes so many of its tabs, the one that acts before the others. */
  async close(count: number = this.tabs.length): Promise<void> {
    const tabs = this.tabs.splice(0, count)
    for (const tab of tabs) await tab.kith?.close()
    for (const tab of tabs) tab.kill()
  }

  /** The server may tell of them again. */
  forgetJoins(): void {
    this.told = new Set()
    for (const tab of this.tabs) tab.forgetJoins()
  }

  /** The tab that acts stands still, if there is another to act from here on. */
  freeze(): void {
    const [tab, other] = this.tabs
    if (!tab || !other || this.parts.standstill.isOn(other)) return
    tab.freeze()
    this.turn()
  }

  /** Whichever tab stands still goes on. */
  thaw(): void {
    for (const tab of this.tabs) if (this.parts.standstill.isOn(tab)) tab.thaw()
  }

  /** Another of its tabs acts from here on. */
  turn(): void {
    this.tabs.push(...this.tabs.splice(0, 1))
  }

  /** Its database is another from here on. */
  forget(): void {
    this.safe = new Set()
    this.met = new Set()
    this.generation = undefined
    this.told = new Set()
    this.isWhole = false
    this.firstPosition = undefined
    this.incarnation = undefined
  }

  /** Its database is from here on what its backup is. */
  restore(): void {
    if (this.backup) this.indexedDB = this.backup
    this.backup = undefined
    this.forget()
    this.incarnation = this.#backupIncarnation
  }

  takeBack(names: readonly string[], count: number): void {
    for (const name of names) this.#takenBack.set(name, count)
  }

  /** Whether it took back what an edit said, or ever took something back of this name. */
  hasTakenBack(name: string, edit = -1): boolean {
    return edit < (this.#takenBack.get(name) ?? -1)
  }

  /** Whether it was told that a user joined. */
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
  /** What the app in it is shown of those whom it watches. */
  readonly presences = new Map<string, Presence | undefined>()

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

  /** What the app is shown of the user's own documents: what was refused lies over them. */
  get view(): Facts {
    if (!this.kith) throw new Error('a tab that is not open shows nothing')
    const { roster, profile } = coreOf(this.kith).store.documents
    return factsOfMaps(roster.view, profile.view)
  }

  /** The changes that a server did not take, as far as nothing else was said since. */
  get refused(): readonly KeyChange[] {
    const { roster, profile } = (this.kith && coreOf(this.kith).store.documents) ?? {}
    return [...(roster?.refused ?? []), ...(profile?.refused ?? [])]
  }

  /** Whether this device last heard of a server that takes less than servers do unless set otherwise. */
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
    // What a client that opens offers again it has written by now.
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

  /** Notes what is written into the outbox of a database from now on. */
  #noteWrites(db: DexieDatabase): void {
    const rebuilding = new WeakSet<object>()
    // Documents that were replaced have another generation; the rows before it in that transaction say things again.
    db.meta.hook('updating', (changes, key, _row, transaction) => {
      if (key === 'head' && isOtherGeneration(changes)) rebuilding.add(transaction)
    })
    db.outbox.hook('creating', (_key, row, transaction) => {
      this.#written.push(writtenOf(row, () => rebuilding.has(transaction)))
    })
  }

  /** Once in 30 days, which no history takes, whatever becomes of the account [F3]. */
  #joined(owner: string): void {
    const { device } = this
    // Each tab hears of it.
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

  /** What was written since this was last asked. */
  takeWritten(): Written[] {
    return this.#written.splice(0)
  }

  /** An app was told that all that was written is saved. */
  promise(): void {
    this.#promised = [...this.#written]
  }

  /** What was written before it is killed, and what of it is promised. */
  takeLast(): { rows: Written[]; promised: readonly Written[] } {
    const rows = this.takeWritten()
    return { rows, promised: this.#promised.filter(written => rows.includes(written)) }
  }

  /** Nothing of it runs, until it is thawed: what it had begun with its database ends, and nothing begins. */
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
    // Or Dexie keeps it for ever, and tells it of every change anywhere.
    kith && coreOf(kith).store.db.close()
    locks.kill(this)
    channels.kill(this)
    parts.standstill.forget(this)
  }
}

/** `isAgain` is asked when the transaction is over. */
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

/** Every read that is not part of a transaction goes through this method of a table. */
function tablesOf(kith: Kith): { _trans?: () => Promise<never> }[] {
  const db = dexieOf(kith)
  return db.tables.map(({ name }) => db[name as keyof typeof db] as { _trans?: () => Promise<never> })
}
