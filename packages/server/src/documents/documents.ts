import type { Limits } from '@kith/shared'
import type { Clock } from '../clock.ts'
import type { DocumentName } from '../relations/records.ts'
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
/** Documents above this are merged in a thread of their own, which counts their memory itself (`merge-thread.ts`). */
const mostLocalBytes = 256 * 1024

/**
 * What is done with users' documents, each in memory while it is in use. Without that one edit of a 10,000-contact roster would
 * cost 170 ms of event loop; with it an idle device costs no document.
 */
export class Documents {
  readonly #store: Store
  readonly #clock: Clock
  readonly #cache: DocumentCache
  /** The weight of documents for the thread: of users with work, so that it is read once. */
  readonly #weights = new Map<string, number>()
  /** Documents that are being read, by key: whether another node has changed them since the read began. */
  readonly #reading = new Map<string, { isOutdated: boolean }>()

  readonly #thread: MergeThread | undefined
  readonly #limits: Limits

  /** Without a thread all documents are merged here, as a simulated world wants it. */
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
   * Merges updates. Only one caller at a time may do anything with a user's documents: the user's account, which holds
   * them. `hasGeneration`: see `MergeContext` (merge.ts).
   */
  async merge(
    user: string,
    name: DocumentName,
    updates: readonly Uint8Array[],
    hasGeneration: boolean,
  ): Promise<Merged & { weight: number; version: number }> {
    const bytes = updates.reduce((sum, update) => sum + update.length, 0)
    return this.#use(user, name, bytes, async (document, version) => {
      const merged = await document.merge(updates, { today: this.#today, hasGeneration })
      return { ...merged, weight: document.weight, version: version.at }
    })
  }

  /** What the disk holds of a document that a device lacks; `undefined` for a state vector that is none. */
  async missing(user: string, name: DocumentName, stateVector: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#use(user, name, stateVector.length, document => document.missing(stateVector))
  }

  /** What updates brought to a document, as the disk has it now. */
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

  /** Of what the disk holds of a document (`documentDigest`). */
  async digest(user: string, name: DocumentName): Promise<Uint8Array | undefined> {
    return this.#use(user, name, 0, document => document.digest())
  }

  /** The file of the account ({@link exportedBytes}). */
  async exported(user: string, beside: ExportedBeside): Promise<Uint8Array> {
    return this.#use(user, 'roster', 0, roster => roster.exported(beside))
  }

  /** What an edit of the backend brings to a document ({@link HostedDocument.madeEdit}), which is copied for it. */
  async madeEdit(user: string, name: DocumentName, edit: BackendEdit): Promise<MadeEdit | undefined> {
    const copyBytes = await this.weight(user, name)
    return this.#use(user, name, copyBytes, document => document.madeEdit(edit))
  }

  /** The client that founded a document's generation; 0 for the first one. */
  async founder(user: string, name: DocumentName): Promise<number> {
    return this.#use(user, name, 0, async document => {
      if (document instanceof RemoteDocument && document.founder === 0) await document.stateVector()
      return document.founder
    })
  }

  /** Whether a state vector, or a document with it, is of another generation than the document on disk. */
  async isOfOther(user: string, name: DocumentName, stateVector: Uint8Array): Promise<boolean> {
    return this.#use(user, name, stateVector.length, document => document.isOfOther(stateVector))
  }

  /** That of a document in memory. */
  founderInMemory(user: string, name: DocumentName): number {
    return this.#cache.get(keyOf(user, name))?.document.founder ?? 0
  }

  /** The document of the next generation, and the version that it was made of, if it is to be refounded. */
  async found(
    user: string,
    name: DocumentName,
    isForced: boolean,
  ): Promise<(Founded & { version: number; lapsed: string[] }) | undefined> {
    return this.#use(user, name, 0, async (document, version) => {
      const today = this.#today
      const old = name === 'roster' ? await document.longDeclined(today) : []
      const records = await this.#store.users(old)
      const lapsed = old.filter((_, index) => records[index]?.registeredAt === 0)
      const founded = await document.found({ isForced, today, lapsed })
      return founded && { ...founded, version: version.at, lapsed }
    })
  }

  /** What a document weighs ({@link weightOf}). */
  async weight(user: string, name: DocumentName): Promise<number> {
    const key = keyOf(user, name)
    this.#dropOutdated(key)
    const cached = this.#cache.get(key)?.document
    if (cached && !(cached instanceof RemoteDocument && cached.isGone)) return cached.weight
    return this.#weights.get(key) ?? (await this.#readWeight(user, name))
  }

  /** A small document is kept, since it was read; a large one is loaded when there is work for it. */
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

  get #today(): number {
    return Math.floor(this.#clock.now() / dayMs)
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

  /** Others may need its room in the thread before its user's account is done. */
  #noteWeight(key: string, document: HostedDocument): void {
    if (document instanceof RemoteDocument && this.#weights.has(key)) this.#weights.set(key, document.weight)
  }

  /** Returns it held. `moreBytes` are about to be read or merged: what is large with them is worked on in the thread. */
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

  /** Only one caller at a time does anything with a user's documents. */
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

  /** A commit of this node changed the document in memory, and is on disk: it is the version now. */
  noteCommitted(user: string, name: DocumentName, position: number): void {
    const cached = this.#cache.get(keyOf(user, name))
    if (cached) cached.version.at = position
  }

  /** Another node changed the user's documents: what is in memory counts no more, as soon as it is not in use. */
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

  /** Whether another node has changed a document since it was read, as far as its commits were reported. */
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

  /** Whatever is in memory may say something else than the disk: all is read again. What the thread holds, it drops itself. */
  forgetAll(): void {
    this.#cache.clear()
    this.#weights.clear()
  }

  /** The memory no longer says what the disk says. */
  discard(user: string): void {
    for (const name of ['roster', 'profile'] as const) {
      this.#cache.get(keyOf(user, name))?.document.destroy()
      this.#weights.delete(keyOf(user, name))
      this.#cache.forget(keyOf(user, name))
    }
  }

  /** Drops documents that were not used for a while. */
  sweep(): void {
    this.#cache.sweep()
  }
}
