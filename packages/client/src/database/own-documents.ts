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

/** The number of updates after which both documents are written as snapshots, without what was erased [V5]. */
const updatesPerSnapshot = 200
/** Below this the updates since the last snapshots are not worth folding for their size: overwritten pictures, mostly. */
const minLogBytes = 256 * 1024

/**
 * A roster read from a snapshot is counted when it next grows: a snapshot is in the `updateV2` encoding, which may be
 * thousands of times smaller.
 */
const uncounted = Number.POSITIVE_INFINITY

/** Nothing has set this database up. */
export class EmptyDatabase extends Error {}

/** The user's own two documents in memory, level with the database up to `seq`. */
export class OwnDocuments {
  readonly writer: string
  /** Of all databases that this device had, one after the other, the first one's writer. */
  readonly device: string
  /** Above it the rows of this database are numbered. */
  readonly firstNumber: number
  readonly generation: number
  readonly roster: OwnDocument
  readonly profile: OwnDocument
  readonly outbox: OutboxMemory = new OutboxMemory()
  limits: ContentLimits = defaultContentLimits
  /** The incarnation of the account that this device synced with [D7]. */
  incarnation: Uint8Array | undefined
  /** What this device knew when it built a document upon a server's state. */
  known: MetaValues['known'] = {}
  originals: MetaValues['originals'] = {}
  removed: MetaValues['removed'] = {}
  /** User ids that have changed hands. */
  hands: ReadonlyMap<string, Hands> = new Map()
  /** What was written in the transaction that runs, until the outbox has it. */
  #begun: { document: DocumentName; update: Uint8Array; changes: readonly KeyChange[] }[] = []
  #seq: number
  #snapshotSeq: number
  /** Of both documents, the last snapshots and the updates since. */
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

  /** Reads all from the database. Call it in a transaction. */
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

  /** Takes in what other tabs wrote. Returns `false` when the documents must be loaded again. Call it in a transaction. */
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

  /** Takes in what stands in the outbox. Call it in a transaction. */
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

  /** All that memory knows to be unsent or refused, in its order; without numbers, what no outbox has yet. */
  get unsent(): readonly OutboxRow[] {
    const begun = this.#begun.map(row => ({ ...row, changes: encodeChanges(row.changes) }))
    return [...this.outbox.rows, ...begun]
  }

  /** The user's changes of a document that no server has taken yet. */
  neverTaken(name: DocumentName): KeyChange[] {
    const rows = this.unsent.filter(row => row.document === name && row.refusal === undefined && !row.isRemade)
    return rows.flatMap(row => decodeChanges(row.changes))
  }

  /** The refused changes of a document that had been acknowledged before. */
  refusedAgain(name: DocumentName): KeyChange[] {
    const rows = this.outbox.refused.filter(row => row.document === name && row.isRemade)
    return rows.flatMap(row => decodeChanges(row.changes))
  }

  /** Makes changes as this device, and stores the update; what it was, or nothing when they change nothing [R3]. */
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

  /** Stores an update from the server, then takes it in. */
  async take(db: Tables, name: DocumentName, update: Uint8Array): Promise<void> {
    await this.#append(db, name, update)
    try {
      this[name].take(update)
    } catch (cause) {
      throw new KithError('unavailable', 'The server sent an update that cannot be read', { cause })
    }
  }

  /** Writes both documents as snapshots and deletes the updates before, once there are many, or they outgrow the snapshots. */
  async compactIfLong(db: Tables): Promise<void> {
    const isLarge = this.#logBytes > Math.max(minLogBytes, this.#snapshotBytes)
    if (isLarge || this.#seq - this.#snapshotSeq >= updatesPerSnapshot) await this.compact(db)
  }

  async compact(db: Tables): Promise<void> {
    await this.writeSnapshots(db, { roster: this.roster, profile: this.profile }, this.generation)
    this.#snapshotSeq = this.#seq
  }

  /** Stores these documents in place of all before. A new generation makes every tab load them again. */
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

  /** How many bytes the roster takes: an upper bound far below the limit, the truth near it. */
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
