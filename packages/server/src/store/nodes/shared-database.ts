import type { Change } from '../../relations/changes.ts'
import type { CommitNotes, Draft } from '../../relations/draft.ts'
import type { Outbox } from '../../relations/outbox.ts'
import type { Records } from '../../relations/record-store.ts'
import type { DocumentName, LevelName, LevelRecord, UserRecord } from '../../relations/records.ts'
import type { Revocation } from '../../relations/revocation.ts'
import type { KnownPage, Looked, StoredParts, View } from '../../relations/views.ts'
import type { Turn } from '../../turns.ts'
import type { NodeName, NodeTable } from './node-table.ts'

/** The name of a document. */
export interface Versioned {
  user: string
  document: DocumentName
}

/** The reads for the derivation of one batch. */
export interface BatchRecords extends Records {
  /** The position of the earliest state that was read; infinite if nothing was read. */
  readonly knownUpTo: number
  /** Returns the version of each document, and the position at which the user's tokens were revoked; 0 for none. */
  versions(wanted: readonly Versioned[]): Promise<{ version: number; revokedAt: number }[]>
}

/** Changes that are written together or not at all. */
export interface Batch {
  /** The node that writes it. */
  readonly node: NodeName
  /** A UUID that names the batch. If the answer to its write is lost, it is sent again, and written only once. */
  readonly id: string
  readonly changes: readonly Change[]
  /** What listeners receive about each change. Positions are provisional until the batch is written. */
  readonly commits: CommitNotes[]
  /** The records that it writes. Positions are provisional, see `provisional.ts`. */
  readonly draft: Draft
  /**
   * The users whose change it is, if it was derived beside the queue. The news of all other users stay as they are stored, see
   * `relations/user-news.ts`.
   */
  readonly subjects: ReadonlySet<string> | undefined
  /** The position of the earliest state that was read for it. */
  readonly knownUpTo: number
  /** The run of the database in which all of it was read. */
  readonly run: Uint8Array
  /** The names of what was read, as in `record-names.ts`. */
  readonly reads: ReadonlySet<string>
}

/** The outcome of a batch, with the head. If the batch was written, the head is its last position. */
export interface Outcome {
  /**
   * - `written`: by this call, or by an earlier one whose answer was lost.
   * - `conflict`: another batch has written what this one read, or another run has begun.
   * - `too-old`: the log does not reach back to the state that was read.
   * - `history-lost`: the state that was read belongs to another history.
   * - `fenced`: the node has no lease.
   */
  status: 'written' | 'conflict' | 'too-old' | 'history-lost' | 'fenced'
  last: number
  /**
   * `false`: the batch is written, and may be lost, since no standby has confirmed it. If the same batch is sent again, a later
   * commit confirms it, because a standby confirms no commit without the one before it.
   */
  isConfirmed: boolean
}

/** A batch in the log. */
export interface LogRow {
  first: number
  last: number
  batch: string
  /** In the format of `commit-codec.ts`. */
  commits: Uint8Array
}

/** The part of the log after a position. Complete up to the last row. */
export interface LogRead {
  head: number
  rows: readonly LogRow[]
  /** There may be more rows. */
  isCut: boolean
}

export type WriteBatch = (batch: Batch) => Promise<Outcome>

/**
 * A database that several nodes have open, from the view of one of them. Batches are written one after the other. When a batch
 * becomes visible, its log row and the head are visible too. A rejection means that this call alone failed, unless
 * `isConnectionLost` says that its outcome is unknown.
 */
export interface SharedDatabase {
  /**
   * @see Store.run: of the database that connections reach now. It changes before anything is read in the new run.
   */
  readonly run: Uint8Array
  /** @see Store.reachOf */
  reachOf(run: Uint8Array): number | undefined

  readonly nodes: NodeTable
  readonly outbox: Outbox

  /** The reads for the derivation of one batch. `turn`: called between two slices of it. */
  records(turn: Turn): BatchRecords
  /** Writes a batch, unless another batch after `knownUpTo` has written what this one read. */
  write: WriteBatch
  /** Runs `work` while nothing else is written to the database. Its writes are in the database when `write` resolves. */
  alone(work: (write: WriteBatch) => Promise<void>): Promise<void>
  logAfter(position: number): Promise<LogRead>
  /** Whether the outcome of a call is unknown because the connection was lost. */
  isConnectionLost(error: unknown): boolean
  /** This node has written. Notifies the other nodes. */
  say(): void
  /**
   * Calls `written` when another node may have written, and `applied` when another node may have applied something. Nothing
   * depends on these calls.
   */
  listen(heard: { written(): void; applied(): void }): void
  close(): Promise<void>

  users(ids: readonly string[]): Promise<UserRecord[]>
  registeredAfter(id: string, most: number): Promise<[id: string, user: UserRecord][]>
  erasures(id: string): Promise<number>
  /** @see Store.revocation: by the clock of the database. */
  revocation(id: string): Promise<Revocation>
  /** Returns the parts of a document that were written at a position or since. */
  document(id: string, document: DocumentName, since?: number): Promise<StoredParts>
  /**
   * @see Store.views: all from one state.
   */
  views(
    viewer: string,
    owners: readonly string[],
    wanted: ((views: View[]) => readonly LevelName[]) | undefined,
  ): Promise<Looked>
  levels(names: readonly LevelName[]): Promise<(LevelRecord | undefined)[]>
  levelsWithFields(owner: string): Promise<number[]>
  relationsOf(id: string): AsyncIterable<KnownPage>
  hasAsked(viewer: string, id: string): Promise<boolean>
  changedSince(since: number, most: number): Promise<string[] | undefined>
  /** Cursors before `oldest` are too old to be accepted. `at`: the head. `confirmedMs`: see `Store.confirmedMs`. */
  oldestCursor(nowMs: number): Promise<{ oldest: number; at: number; confirmedMs: number }>
}
