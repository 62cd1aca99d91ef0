import { type ContentLimits, type ErrorCode, type Fields, KithError } from '@kith/shared'
import type { DocumentName } from '../documents/name.ts'

/**
 * What one device keeps, in one database that all its tabs share:
 *
 *   updates    own documents, as Yjs updates in the order in which this device took them; cut off by each snapshot
 *   snapshots  own documents, as they stood at `meta.head.snapshotSeq`
 *   outbox     own changes that are on no server's disk yet, both documents in one order, which is the order of sending [V6]
 *   replicas   other people's profile documents, a row per owner
 *   people     what an app shows of each known person, a row per person, derived from roster and replicas
 *   meta       one value per key, see `MetaValues`
 */

export interface UpdateRow {
  seq?: number
  document: DocumentName
  /** In Yjs' `updateV1` encoding. */
  update: Uint8Array
}

export interface SnapshotRow {
  document: DocumentName
  /** In Yjs' `updateV2` encoding, made from a document that collects its garbage: nothing erased is in it [V5]. */
  update: Uint8Array
}

export interface OutboxRow {
  /** In the order of sending; not whole for what was put ahead of others. */
  seq?: number
  document: DocumentName
  /** In Yjs' `updateV1` encoding; empty once refused. */
  update: Uint8Array
  /** The changes of the update, so that it can be made again [D5]: see `changes-codec.ts`. */
  changes: Uint8Array
  /** What stood before it, see `seen.ts`; absent where that is not known. */
  seen?: Uint8Array
  /** Why the server refused it; absent while it is to be sent. */
  refusal?: ErrorCode
  /** This device refused it by the server's limits, and did not ask the server. It is offered once it fits [D6]. */
  isRefusedHere?: true
  /** The code of the refusal that the app was given; each is reported once [D5]. */
  reported?: ErrorCode
  /** It had been acknowledged, and the server lacks it: it is made again, under a client id of its own kind [D6]. */
  isRemade?: true
}

/** The levels of one owner that this device holds. */
export interface ReplicaRow {
  owner: string
  /** What the server last said that this viewer gets. */
  access: number[]
  levels: [level: number, fields: Fields][]
  /** Levels from before the feed began from the start: hidden until they are repeated. */
  hidden: [level: number, fields: Fields][]
  /** Merely fetched: neither followed nor fed by the server of its own accord; it ends with the session [V7]. */
  isFetched: 0 | 1
}

/** The Yjs id of an entry. */
export interface Original {
  client: number
  clock: number
}

/** A user id that has changed hands, as the server says. */
export interface Hands {
  incarnation: string
  isTold: boolean
  /** From before the feed began from the start, and not repeated yet. */
  isOld?: true
}

export interface PersonRow {
  id: string
  label: string
  /** Merged over the levels held: the highest level's value counts. */
  fields: Fields
  /** Granted to them, ascending. */
  levels: number[]
  isContact: boolean
  isSubscribed: boolean
  isDeclined: boolean
  isBlocked: boolean
  hasJoined: boolean
  isWaiting: boolean
  /** What the roster gives to this id does not count until it is confirmed [D7]. */
  hasChangedHands: boolean
  /** 1 for everyone contacted, followed or blocked. A number, because IndexedDB doesn't index booleans. */
  isListed: 0 | 1
}

/**
 * Raised with each change of what the database holds, in tables or in rows. It is a version of Dexie's, too, so that tabs that
 * run older code are cut off. What a step of Dexie's changes, it changes in one transaction, and never in the outbox alone.
 */
export const schemaNumber = 2

/** How often `sync` has set keys again that were taken away after they had been set. */
export interface Turned {
  /** `root key` → how often. */
  counts: ReadonlyMap<string, number>
  isReported: boolean
}

export interface MetaValues {
  /** {@link schemaNumber} of the version of Kith that made the database; absent in those of before. */
  schema: number
  /** `generation` grows when documents were replaced rather than extended: other tabs then load them again. */
  head: { generation: number; snapshotSeq: number; clientIds: Record<DocumentName, number> }
  /**
   * Whose database it is; which one it is, as each new one has another writer; the writer of the first that its device had,
   * unless it is this one; and above what its rows are numbered.
   */
  identity: { user: string; writer: string; device?: string; first?: number }
  /** Of this device's own client ids, the clock up to which something may have been sent. */
  sent: Record<DocumentName, number>
  /** Of documents that were built upon a server's state: what this device knew before, see `said-again.ts`. */
  known: Partial<Record<DocumentName, ReadonlyMap<number, number>>>
  /** Of documents that were built upon a server's state: what was removed and has no trace there. */
  removed: Partial<Record<DocumentName, ReadonlySet<string>>>
  /** Removals that no server is known to have had which held the document before, see `doubtful-removals.ts`. */
  doubtful: Partial<Record<DocumentName, ReadonlySet<string>>>
  /** Of entries that were made again, the originals: `root key` → their Yjs id. */
  originals: Partial<Record<DocumentName, ReadonlyMap<string, Original>>>
  /** How far the feed was read; empty before. */
  cursor: Uint8Array
  /** What the last import of each source had, see `import/plan-import.ts`: source → address → label. */
  imports: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Keys of the roster that `sync` sets again and again, see `turned-keys.ts`. */
  turned: Turned
  /** Replicas from before the feed began from the start are hidden until it has caught up. */
  hasHidden: boolean
  /**
   * Owners whose replicas this device dropped on its own, each with the number of the drop, until the server shows nothing
   * of them either or has handed them over again. If they are let in again before it heard, it sees no change, and must be
   * asked; what it says of them meanwhile builds on what is no longer here. `next`: a number that no drop has had.
   */
  dropped: { next: number; owners: Map<string, number> }
  limits: ContentLimits
  /** The incarnation of the account that this device synced with, as the server names it [D7]; absent before. */
  incarnation: Uint8Array
  /** By user id: the incarnation that the roster is to confirm, and whether an event has reported it [D7]. */
  hands: ReadonlyMap<string, Hands>
  /** Whether the app wants to be connected, for the tab that has the socket next. */
  isWanted: boolean
  /** Which tab has the socket, since it took over; absent in a new database. */
  term: string
}

export interface MetaRow {
  key: string
  value: unknown
}

/** What a new database says of itself. */
export const schemaRow: { key: keyof MetaValues; value: unknown } = { key: 'schema', value: schemaNumber }

/** Throws `database-newer` when a later version of Kith wrote the database, whose `schema` is `found`. */
export function expectKnown(name: string, found: number): void {
  if (found <= schemaNumber) return
  const message =
    `A later version of Kith wrote the database ${name} (${found}, and this version knows ${schemaNumber}): ` +
    'nothing was changed; load the newest version of the app'
  throw new KithError('database-newer', message)
}
