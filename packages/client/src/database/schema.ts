import { type ContentLimits, type ErrorCode, type Fields, KithError } from '@kith/shared'
import type { DocumentName } from '../documents/name.ts'

/**
 * The data of one device, in one database that all its tabs share:
 *
 *   updates    own documents, as Yjs updates in the order in which this device applied them; deleted by each snapshot
 *   snapshots  own documents, as they were at `meta.head.snapshotSeq`
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
  /** In Yjs' `updateV2` encoding, made from a garbage-collected document: it contains nothing erased [V5]. */
  update: Uint8Array
}

export interface OutboxRow {
  /** The order of sending; a fraction for entries that were inserted before others. */
  seq?: number
  document: DocumentName
  /** In Yjs' `updateV1` encoding; empty once refused. */
  update: Uint8Array
  /** The changes of the update, so that it can be made again [D5]: see `changes-codec.ts`. */
  changes: Uint8Array
  /** The values that its changes met, see `seen.ts`; absent where these are unknown. */
  seen?: Uint8Array
  /** Why the server refused it; absent while it is to be sent. */
  refusal?: ErrorCode
  /** This device refused it by the server's limits, without asking the server. It is offered once it fits [D6]. */
  isRefusedHere?: true
  /** The code of the refusal that was reported to the app; each is reported once [D5]. */
  reported?: ErrorCode
  /** It was acknowledged, and the server lacks it: it is made again, under a remaking client id [D6]. */
  isRemade?: true
}

/** The levels of one owner that this device holds. */
export interface ReplicaRow {
  owner: string
  /** The levels that this viewer gets, as the server last said. */
  access: number[]
  levels: [level: number, fields: Fields][]
  /** Levels from before the feed began from the start: hidden until the feed repeats them. */
  hidden: [level: number, fields: Fields][]
  /** Only fetched: neither followed, nor sent by the server because of a grant. It ends with the session [V7]. */
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
  /** It is from before the feed began from the start, and was not repeated yet. */
  isOld?: true
}

export interface PersonRow {
  id: string
  label: string
  /** Merged over the levels on this device: the value of the highest level counts. */
  fields: Fields
  /** Granted to them, in ascending order. */
  levels: number[]
  isContact: boolean
  isSubscribed: boolean
  isDeclined: boolean
  isBlocked: boolean
  hasJoined: boolean
  isWaiting: boolean
  /** The roster's grants to and follow of this id do not count until they are confirmed [D7]. */
  hasChangedHands: boolean
  /** 1 for every user who is a contact, followed or blocked. A number, because IndexedDB doesn't index booleans. */
  isListed: 0 | 1
}

/**
 * Raised with each change of the stored data, in tables or in rows, and of the messages between tabs. It is also a version of
 * Dexie's, so that tabs that run older code lose their connection. An upgrade in Dexie changes its data in one transaction, and
 * never the outbox alone.
 */
export const schemaNumber = 2

/** How often `sync` has set keys again that were removed after they had been set. */
export interface Turned {
  /** `root key` → how often. */
  counts: ReadonlyMap<string, number>
  isReported: boolean
}

export interface MetaValues {
  /**
   * {@link schemaNumber} of the version of Kith that made the database or, in SQLite, last migrated it; absent in earlier
   * ones. IndexedDB's own version says what Dexie has migrated.
   */
  schema: number
  /** `generation` grows when documents were replaced, not extended: other tabs then load them again. */
  head: { generation: number; snapshotSeq: number; clientIds: Record<DocumentName, number> }
  /**
   * The user; the writer of this database, which differs for each new database; the writer of the first database of this
   * device, unless it is this one; and the number above which the rows are numbered.
   */
  identity: { user: string; writer: string; device?: string; first?: number }
  /** Per document, the clock of this device's client id up to which structs may have been sent. */
  sent: Record<DocumentName, number>
  /** For documents that were rebuilt on a server's state: what this device knew before, see `said-again.ts`. */
  known: Partial<Record<DocumentName, ReadonlyMap<number, number>>>
  /** For documents that were rebuilt on a server's state: removed keys that have no trace there. */
  removed: Partial<Record<DocumentName, ReadonlySet<string>>>
  /** Removals that were acknowledged only by servers that had not held the document before, see `doubtful-removals.ts`. */
  doubtful: Partial<Record<DocumentName, ReadonlySet<string>>>
  /** The originals of entries that were made again: `root key` → their Yjs id. */
  originals: Partial<Record<DocumentName, ReadonlyMap<string, Original>>>
  /** The position in the feed; empty at first. */
  cursor: Uint8Array
  /** The contacts of the last import of each source, see `import/plan-import.ts`: source → address → label. */
  imports: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Keys of the roster that `sync` sets repeatedly, see `turned-keys.ts`. */
  turned: Turned
  /** Whether replicas from before the feed began from the start are hidden until it has caught up. */
  hasHidden: boolean
  /**
   * Owners whose replicas this device dropped on its own, each with the number of the drop, until the server also shows nothing
   * of them or has handed them over again. If an owner is admitted again before the server learned of the drop, the server sees
   * no change, so this device must fetch the owner. Differences that arrive meanwhile build on a state that this device has
   * dropped. `next`: the next unused number.
   */
  dropped: { next: number; owners: Map<string, number> }
  limits: ContentLimits
  /** The incarnation of the account that this device synced with, as the server names it [D7]; absent at first. */
  incarnation: Uint8Array
  /** By user id: the incarnation that the roster must confirm, and whether an event has reported it [D7]. */
  hands: ReadonlyMap<string, Hands>
  /** Whether the app wants to be connected; for the next tab that has the socket. */
  isWanted: boolean
  /** The term of the tab that has the socket; absent in a new database. */
  term: string
}

export interface MetaRow {
  key: string
  value: unknown
}

/** The row that states the schema of a new database. */
export const schemaRow: { key: keyof MetaValues; value: unknown } = { key: 'schema', value: schemaNumber }

/** Throws `database-newer` when a later version of Kith wrote the database, whose schema is `found`. */
export function expectKnown(name: string, found: number, known: number = schemaNumber): void {
  if (found <= known) return
  const message =
    `A later version of Kith wrote the database ${name} (${found}, and this version knows ${known}): ` +
    'nothing was changed; load the newest version of the app'
  throw new KithError('database-newer', message)
}
