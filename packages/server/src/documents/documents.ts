import type { Limits } from '@kith/shared'
import type { Clock } from '../clock.ts'
import { type DocumentName, hasAccount, noUser } from '../relations/records.ts'
import type { Store } from '../relations/store.ts'
import type { BackendEdit, MadeEdit } from './backend-edit.ts'
import { DocumentCache, type DocumentCacheOptions, keyOf, type Loaded, type Version } from './document-cache.ts'
import { weightOf } from './document-weight.ts'
import type { ExportedBeside } from './exported.ts'
import type { Founded } from './founding.ts'
import { type HostedDocument, LocalDocument } from './hosted-document.ts'
import type { Merged } from './merge.ts'
import type { MergeThread } from './merge-thread.ts'
import { bytesOf, type Updates } from './missing.ts'
import { RemoteDocument } from './remote-document.ts'

const dayMs = 86_400_000
/** Documents above this size are merged in a separate thread, which accounts for their memory itself (`merge-thread.ts`). */
const mostLocalBytes = 256 * 1024

/**
 * The operations on users' documents. A document is in memory while it is in use. Without this cache, one edit of a
 * 10,000-contact roster would block the event loop for 170 ms. An idle device costs no document.
 */
export class Documents {
  readonly #store: Store
  readonly #clock: Clock
  readonly #cache: DocumentCache
  /** The weights of documents for the thread, kept for users with work, so that each is read once. */
  readonly #weights = new Map<string, number>()
  /** Documents that are being read, by key: whether another node has changed them since the read began. */
  readonly #reading = new Map<string, { isOutdated: boolean }>()

  readonly #thread: MergeThread | undefined
  readonly #limits: Limits

  /** Without a thread, all documents are merged in this thread, as a simulation needs it. */
  constructor(options: DocumentCacheOptions & { store: Store; limits: Limits; thread?: MergeThread | undefined }) {
    this.#thread = options.thread
    this.#limits = options.limits
    this.#store = options.store
    this.#clock = options.clock
    this.#cache = new DocumentCache(options)
  }

  /** Number of documents in memory. */
  get size(): number {
    return this.#cache.size
  }

  /** Keeps a user's documents, once they are loaded, until {@link release}. */
  hold(user: string): void {
    this.#cache.hold(user)
  }

  /** The user's account has no work left. */
  release(user: string): void {
    for (const name of ['roster', 'profile'] as const) {
      this.#weights.delete(keyOf(user, name))
      this.#reading.delete(keyOf(user, name))
    }
    this.#cache.release(user)
  }

  /**
   * Merges updates. Only one caller at a time may use a user's documents: the user's account, which holds them.
   * `hasGeneration`: see `MergeContext` (merge.ts).
   */
  async merge(
    user: string,
    name: DocumentName,
    updates: readonly Uint8Array[],
    hasGeneration: boolean,
  ): Promise<Merged & { weight: number; version: number }> {
    const bytes = updates.reduce((sum, update) => sum + update.length, 0)
    return this.#use(user, name, bytes, async (document, version) => {
      const merged = await document.merge(updates, { lapsingDay: this.#lapsingDay, hasGeneration })
      return { ...merged, weight: document.weight, version: version.at }
    })
  }

  /** Returns the part of a document on disk that a device lacks, or `undefined` if the state vector is malformed. */
  async missing(user: string, name: DocumentName, stateVector: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#use(user, name, stateVector.length, document => document.missing(stateVector))
  }

  /** Returns the content that updates added to a document, as it is on disk now. */
  async newest(user: string, name: DocumentName, updates: Updates): Promise<Uint8Array> {
    return this.#use(user, name, bytesOf(updates), document => document.newest(updates))
  }

  /** The version of a document in memory: the position of its last change. */
  versionOf(user: string, name: DocumentName): number {
    return this.#cache.get(keyOf(user, name))?.version.at ?? 0
  }

  async stateVector(user: string, name: DocumentName): Promise<Uint8Array> {
    return this.#use(user, name, 0, document => document.stateVector())
  }

  /** Returns the digest of a document on disk (`documentDigest`). */
  async digest(user: string, name: DocumentName): Promise<Uint8Array | undefined> {
    return this.#use(user, name, 0, document => document.digest())
  }

  /** Returns the export file of the account ({@link exportedBytes}). */
  async exported(user: string, beside: ExportedBeside): Promise<Uint8Array> {
    return this.#use(user, 'roster', 0, roster => roster.exported(beside))
  }

  /** Returns the update of a backend edit ({@link HostedDocument.madeEdit}). The document is copied for it. */
  async madeEdit(user: string, name: DocumentName, edit: BackendEdit): Promise<MadeEdit | undefined> {
    const copyBytes = await this.weight(user, name)
    return this.#use(user, name, copyBytes, document => document.madeEdit(edit))
  }

  /** Returns the client that founded a document's generation; 0 for the first generation. */
  async founder(user: string, name: DocumentName): Promise<number> {
    return this.#use(user, name, 0, async document => {
      if (document instanceof RemoteDocument && document.founder === 0) await document.stateVector()
      return document.founder
    })
  }

  /** Whether a state vector, or a document with it, belongs to another generation than the document on disk. */
  async isOfOther(user: string, name: DocumentName, stateVector: Uint8Array): Promise<boolean> {
    return this.#use(user, name, stateVector.length, document => document.isOfOther(stateVector))
  }

  /** The same for a document in memory. */
  founderInMemory(user: string, name: DocumentName): number {
    return this.#cache.get(keyOf(user, name))?.document.founder ?? 0
  }

  /** If the document must be refounded, returns the document of the next generation, and the version from which it was made. */
  async found(
    user: string,
    name: DocumentName,
    isForced: boolean,
  ): Promise<(Founded & { version: number; lapsed: string[] }) | undefined> {
    return this.#use(user, name, 0, async (document, version) => {
      const [today, lapsingDay] = [this.#today, this.#lapsingDay]
      const old = name === 'roster' ? await document.longDeclined(lapsingDay) : []
      const records = await this.#store.users(old)
      const lapsed = old.filter((_, index) => !hasAccount(records[index] ?? noUser))
      const founded = await document.found({ isForced, today, lapsingDay, lapsed })
      return founded && { ...founded, version: version.at, lapsed }
    })
  }

  /** Returns the weight of a document ({@link weightOf}). */
  async weight(user: string, name: DocumentName): Promise<number> {
    const key = keyOf(user, name)
    this.#dropOutdated(key)
    const cached = this.#cache.get(key)?.document
    if (cached && !(cached instanceof RemoteDocument && cached.isGone)) return cached.weight
    return this.#weights.get(key) ?? (await this.#readWeight(user, name))
  }

  /** A small document stays in memory, since it has been read. A large document is loaded when there is work for it. */
  async #readWeight(user: string, name: DocumentName): Promise<number> {
    const key = keyOf(user, name)
    const reading = this.#beginReading(key)
    const { version, parts } = await this.#store.document(user, name)
    const weight = weightOf(parts)
    if (this.#isForThread(weight)) this.#weights.set(key, weight)
    else
      this.#keep(
        key,
        { document: new LocalDocument(name, parts, this.#limits), version: { at: version } },
        reading.isOutdated,
      )
    return weight
  }

  /** The day that is recorded. If the clock is behind, the confirmed time is nearer. */
  get #today(): number {
    return Math.floor(Math.max(this.#clock.now(), this.#store.confirmedMs) / dayMs)
  }

  /** The day by which users were declined long ago. A clock that is ahead for less than a day does not change it. */
  get #lapsingDay(): number {
    return Math.floor(this.#store.confirmedMs / dayMs)
  }

  #isForThread(bytes: number): boolean {
    return this.#thread !== undefined && bytes > mostLocalBytes
  }

  async #use<T>(
    user: string,
    name: DocumentName,
    moreBytes: number,
    work: (document: HostedDocument, version: Version) => Promise<T>,
  ): Promise<T> {
    const { document, version } = await this.#load(user, name, moreBytes)
    try {
      return await work(document, version)
    } finally {
      this.#noteWeight(keyOf(user, name), document)
      document.release()
    }
  }

  /** Records the weight, because other documents may need the room in the thread before the user's account is done. */
  #noteWeight(key: string, document: HostedDocument): void {
    if (document instanceof RemoteDocument && this.#weights.has(key)) this.#weights.set(key, document.weight)
  }

  /**
   * Returns the document, held. `moreBytes` are about to be read or merged: a document that becomes large with them is
   * processed in the thread.
   */
  async #load(user: string, name: DocumentName, moreBytes: number): Promise<Loaded> {
    const key = keyOf(user, name)
    this.#dropOutdated(key)
    const cached = this.#cache.get(key)
    if (cached) this.#cache.forget(key)
    const usable = this.#usable(cached?.document, moreBytes)
    usable?.hold(moreBytes)
    const reading = this.#beginReading(key)
    const loaded =
      usable && cached ? { document: usable, version: cached.version } : await this.#open(user, name, moreBytes)
    this.#keep(key, loaded, reading.isOutdated)
    return loaded
  }

  /** Only one caller at a time uses a user's documents. */
  #beginReading(key: string): { isOutdated: boolean } {
    const reading = { isOutdated: false }
    this.#reading.set(key, reading)
    return reading
  }

  #keep(key: string, loaded: Loaded, isOutdated: boolean): void {
    this.#reading.delete(key)
    this.#cache.keep(key, loaded, isOutdated)
  }

  #usable(document: HostedDocument | undefined, moreBytes: number): HostedDocument | undefined {
    if (!document) return undefined
    if (document instanceof RemoteDocument) return document.isGone ? undefined : document
    if (!this.#thread || document.weight + moreBytes <= mostLocalBytes) return document
    document.destroy()
    return undefined
  }

  async #open(user: string, name: DocumentName, moreBytes: number): Promise<Loaded> {
    const known = this.#weights.get(keyOf(user, name))
    const stored = known === undefined ? await this.#store.document(user, name) : { version: 0, parts: [] }
    const weight = known ?? weightOf(stored.parts)
    const version: Version = { at: stored.version }
    if (!this.#thread || !this.#isForThread(weight + moreBytes))
      return { document: new LocalDocument(name, stored.parts, this.#limits), version }
    const document = await this.#thread.open(name, { weight, moreBytes }, async () => {
      const read = await this.#store.document(user, name)
      version.at = read.version
      return read.parts
    })
    return { document, version }
  }

  /** A commit of this node changed the document in memory and is on disk. Its position is the version now. */
  noteCommitted(user: string, name: DocumentName, position: number): void {
    const cached = this.#cache.get(keyOf(user, name))
    if (cached) cached.version.at = position
  }

  /** Another node changed the user's documents. The documents in memory become invalid as soon as they are not in use. */
  noteOutdated(user: string): void {
    for (const name of ['roster', 'profile'] as const) {
      const reading = this.#reading.get(keyOf(user, name))
      if (reading) reading.isOutdated = true
      const cached = this.#cache.get(keyOf(user, name))
      if (!cached) continue
      cached.isOutdated = true
      if (!this.#cache.isHeld(user)) this.#dropOutdated(keyOf(user, name))
    }
  }

  /** Whether another node has changed a document since it was read, according to the commits that were reported. */
  isOutdated(user: string, name: DocumentName): boolean {
    return this.#cache.get(keyOf(user, name))?.isOutdated === true
  }

  #dropOutdated(key: string): void {
    const cached = this.#cache.get(key)
    if (!cached?.isOutdated) return
    cached.document.destroy()
    this.#weights.delete(key)
    this.#cache.forget(key)
  }

  /** Documents in memory may differ from the disk, so all of them are read again. The thread drops its own documents itself. */
  forgetAll(): void {
    this.#cache.clear()
    this.#weights.clear()
  }

  /** The documents in memory no longer match the disk. */
  discard(user: string): void {
    for (const name of ['roster', 'profile'] as const) {
      this.#cache.get(keyOf(user, name))?.document.destroy()
      this.#weights.delete(keyOf(user, name))
      this.#cache.forget(keyOf(user, name))
    }
  }

  /** Drops documents that have not been used for a while. */
  sweep(): void {
    this.#cache.sweep()
  }
}
