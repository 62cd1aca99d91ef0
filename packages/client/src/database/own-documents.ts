import type { ContentLimits, KeyChange } from '@kith/shared'
import { defaultContentLimits, KithError, rosterBytes } from '@kith/shared'
import * as Y from 'yjs'
import { decodeChanges, encodeChanges } from '../documents/changes-codec.ts'
import { type DocumentName, documentNames } from '../documents/name.ts'
import { OwnDocument } from '../documents/own-document.ts'
import type { Tables } from './contract.ts'
import { readMeta, readMetas, writeMeta } from './meta.ts'
import { OutboxMemory } from './outbox-memory.ts'
import type { Hands, MetaValues, OutboxRow } from './schema.ts'

/** The number of updates after which both documents are written as snapshots, without erased values [V5]. */
const updatesPerSnapshot = 200
/**
 * Below this size, the updates since the last snapshots are not compacted because of their size. Large logs are mostly
 * overwritten pictures.
 */
const minLogBytes = 256 * 1024

/**
 * Marks a roster that was read from a snapshot. Its size is computed when it next grows: a snapshot is in the `updateV2`
 * encoding, which may be thousands of times smaller.
 */
const uncounted = Number.POSITIVE_INFINITY

/** The database was created but not set up. */
export class EmptyDatabase extends Error {}

/** The user's two documents in memory, up to date with the database up to `seq`. */
export class OwnDocuments {
  readonly writer: string
  /** The writer of the first of this device's successive databases. */
  readonly device: string
  /** The rows of this database are numbered above this. */
  readonly firstNumber: number
  readonly generation: number
  readonly roster: OwnDocument
  readonly profile: OwnDocument
  readonly outbox: OutboxMemory = new OutboxMemory()
  limits: ContentLimits = defaultContentLimits
  /** The incarnation of the account that this device synced with [D7]. */
  incarnation: Uint8Array | undefined
  /** How far this device knew each client id when it last rebuilt a document on a server's state. */
  known: MetaValues['known'] = {}
  originals: MetaValues['originals'] = {}
  removed: MetaValues['removed'] = {}
  /** User ids that have changed hands. */
  hands: ReadonlyMap<string, Hands> = new Map()
  /** Changes of the running transaction that are not in the outbox yet. */
  #begun: { document: DocumentName; update: Uint8Array; changes: readonly KeyChange[] }[] = []
  #seq: number
  #snapshotSeq: number
  /** The sizes of both documents' last snapshots, and of the updates since. */
  #snapshotBytes = 0
  #logBytes = 0
  #rosterBytesAtMost: number

  private constructor(
    { writer, device = writer, first = 0 }: MetaValues['identity'],
    head: MetaValues['head'],
    snapshots: Record<DocumentName, Uint8Array | undefined>,
  ) {
    this.writer = writer
    this.device = device
    this.firstNumber = first
    this.generation = head.generation
    this.roster = new OwnDocument('roster', head.clientIds.roster)
    this.profile = new OwnDocument('profile', head.clientIds.profile)
    for (const name of documentNames) {
      const snapshot = snapshots[name]
      if (snapshot) this[name].takeSnapshot(snapshot)
      this.#snapshotBytes += snapshot?.length ?? 0
    }
    this.#seq = head.snapshotSeq
    this.#snapshotSeq = head.snapshotSeq
    this.#rosterBytesAtMost = snapshots.roster ? uncounted : 0
  }

  /** Reads everything from the database. Call it in a transaction. */
  static async load(db: Tables): Promise<OwnDocuments> {
    const [identity, head] = await readMetas(db, ['identity', 'head'])
    if (!identity || !head) throw new EmptyDatabase()
    const [roster, profile] = await db.snapshots.bulkGet(['roster', 'profile'])
    const snapshots = { roster: roster?.update, profile: profile?.update }
    const documents = new OwnDocuments(identity, head, snapshots)
    documents.known = (await readMeta(db, 'known')) ?? {}
    documents.originals = (await readMeta(db, 'originals')) ?? {}
    await documents.takeNews(db)
    for (const name of documentNames) documents[name].changedKeys()
    return documents
  }

  /**
   * Applies the changes of other tabs. Resolves to `false` when the documents must be loaded again. Call it in a transaction.
   */
  async takeNews(db: Tables): Promise<boolean> {
    const head = await readMeta(db, 'head')
    if (head?.generation !== this.generation || head.clientIds.roster !== this.roster.clientId) return false
    if (head.snapshotSeq > this.#seq) {
      for (const { document, update } of await db.snapshots.toArray()) this[document].takeSnapshot(update)
      this.#seq = head.snapshotSeq
      this.#rosterBytesAtMost = uncounted
    }
    if (head.snapshotSeq > this.#snapshotSeq) this.#logBytes = 0
    this.#snapshotSeq = head.snapshotSeq
    for (const { seq, document, update } of await db.updates.where(':id').above(this.#seq).toArray()) {
      this[document].take(update)
      this.#grow(document, update)
      this.#seq = seq as number
    }
    const [hands, incarnation, limits, removed] = await readMetas(db, ['hands', 'incarnation', 'limits', 'removed'])
    this.hands = hands ?? new Map()
    this.incarnation = incarnation
    this.removed = removed ?? {}
    this.limits = { ...defaultContentLimits, ...limits }
    for (const name of documentNames) this[name].dropPending()
    await this.followOutbox(db)
    return true
  }

  /** Updates memory from the outbox. Call it in a transaction. */
  async followOutbox(db: Tables): Promise<void> {
    await this.outbox.follow(db)
    this.#begun = []
    const { refused } = this.outbox
    for (const name of documentNames) {
      const own = refused.filter(row => row.document === name)
      if (own.length + this[name].refused.length > 0) {
        this[name].setRefused(own.flatMap(row => decodeChanges(row.changes)))
      }
    }
  }

  /** All unsent or refused entries in memory, in order; those that are not in the outbox yet have no number. */
  get unsent(): readonly OutboxRow[] {
    const begun = this.#begun.map(row => ({ ...row, changes: encodeChanges(row.changes) }))
    return [...this.outbox.rows, ...begun]
  }

  /** The user's changes of a document that no server has accepted yet. */
  neverTaken(name: DocumentName): KeyChange[] {
    const rows = this.unsent.filter(row => row.document === name && row.refusal === undefined && !row.isRemade)
    return rows.flatMap(row => decodeChanges(row.changes))
  }

  /** The refused changes of a document that had been acknowledged before. */
  refusedAgain(name: DocumentName): KeyChange[] {
    const rows = this.outbox.refused.filter(row => row.document === name && row.isRemade)
    return rows.flatMap(row => decodeChanges(row.changes))
  }

  /** Makes changes as this device, and stores the update. Resolves to it, or to `undefined` if they change nothing [R3]. */
  async write(
    db: Tables,
    name: DocumentName,
    changes: readonly KeyChange[],
    clientId?: number,
  ): Promise<Uint8Array | undefined> {
    const update = this[name].write(changes, clientId)
    if (update) this.#begun.push({ document: name, update, changes })
    if (update) await this.#append(db, name, update)
    return update
  }

  /** Stores an update from the server, then applies it. */
  async take(db: Tables, name: DocumentName, update: Uint8Array): Promise<void> {
    await this.#append(db, name, update)
    try {
      this[name].take(update)
    } catch (cause) {
      throw new KithError('unavailable', 'The server sent an update that cannot be read', { cause })
    }
  }

  /** If there are many updates, or they outgrow the snapshots: writes both documents as snapshots and deletes the updates. */
  async compactIfLong(db: Tables): Promise<void> {
    const isLarge = this.#logBytes > Math.max(minLogBytes, this.#snapshotBytes)
    if (isLarge || this.#seq - this.#snapshotSeq >= updatesPerSnapshot) await this.compact(db)
  }

  async compact(db: Tables): Promise<void> {
    await this.writeSnapshots(db, { roster: this.roster, profile: this.profile }, this.generation)
    this.#snapshotSeq = this.#seq
  }

  /** Stores these documents instead of the old ones. A new generation makes every tab load them again. */
  async writeSnapshots(db: Tables, documents: Record<DocumentName, OwnDocument>, generation: number): Promise<void> {
    this.#snapshotBytes = 0
    this.#logBytes = 0
    for (const document of documentNames) {
      const update = Y.encodeStateAsUpdateV2(documents[document].doc)
      this.#snapshotBytes += update.length
      await db.snapshots.put({ document, update })
    }
    await db.updates.where(':id').belowOrEqual(this.#seq).delete()
    const clientIds = { roster: documents.roster.clientId, profile: documents.profile.clientId }
    await writeMeta(db, 'head', { generation, snapshotSeq: this.#seq, clientIds })
  }

  /** The size of the roster in bytes: an upper bound if far below the limit, exact near it. */
  rosterBytes(limit: number): number {
    if (this.#rosterBytesAtMost > limit / 2) {
      this.#rosterBytesAtMost = rosterBytes(this.roster.standing)
    }
    return this.#rosterBytesAtMost
  }

  async #append(db: Tables, document: DocumentName, update: Uint8Array): Promise<void> {
    this.#seq = await db.updates.add({ document, update })
    this.#grow(document, update)
  }

  #grow(name: DocumentName, update: Uint8Array): void {
    this.#logBytes += update.length
    if (name === 'roster') this.#rosterBytesAtMost += update.length
  }
}
