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

/** What the derivation of one batch reads. */
export interface BatchRecords extends Records {
  /** The position of the earliest state that was read; infinite while nothing was read. */
  readonly knownUpTo: number
  /** The version of a user's document, and the position at which the user's tokens were revoked; 0 for none. */
  versions(wanted: readonly Versioned[]): Promise<{ version: number; revokedAt: number }[]>
}

/** Changes that are written together or not at all. */
export interface Batch {
  /** The node that writes it. */
  readonly node: NodeName
  /** A UUID that names it: a batch whose answer was lost is sent again, and written once. */
  readonly id: string
  readonly changes: readonly Change[]
  /** What listeners are told of each change. Positions are provisional until the batch is written. */
  readonly commits: CommitNotes[]
  /** What it writes. Positions are provisional, see `provisional.ts`. */
  readonly draft: Draft
  /**
   * Whose change it is, if it was derived beside the queue: the news of all other users stay as they are stored, see
   * `relations/user-news.ts`.
   */
  readonly subjects: ReadonlySet<string> | undefined
  /** The position of the earliest state that was read for it. */
  readonly knownUpTo: number
  /** The run of the database in which all of it was read. */
  readonly run: Uint8Array
  /** Names of what was read, as `record-names.ts` has them. */
  readonly reads: ReadonlySet<string>
}

/** What became of a batch, with the head: after a batch that was written, its last position. */
export interface Outcome {
  /**
   * - `written`: by this call, or by an earlier one whose answer was lost.
   * - `conflict`: another batch has written what was read for this one, or another run has begun.
   * - `too-old`: the log does not reach back to what was read.
   * - `history-lost`: what was read is of another history.
   * - `fenced`: the node has no lease.
   */
  status: 'written' | 'conflict' | 'too-old' | 'history-lost' | 'fenced'
  last: number
  /**
   * `false`: it is written, and may be lost, since no standby has confirmed it. The same batch, sent again, is confirmed by a
   * later commit, which no standby confirms without the one before.
   */
  isConfirmed: boolean
}

/** A batch in the log. */
export interface LogRow {
  first: number
  last: number
  batch: string
  /** As `commit-codec.ts` has them. */
  commits: Uint8Array
}

/** What follows a position in the log. Complete up to the last row. */
export interface LogRead {
  head: number
  rows: readonly LogRow[]
  /** There may be more rows. */
  isCut: boolean
}

export type WriteBatch = (batch: Batch) => Promise<Outcome>

/**
 * A database that several nodes have open, as one of them reaches it. Batches are written one after the other; from the moment
 * at which one is visible, its log row and the head are. What a call rejects with is the failure of that call alone, unless
 * `isConnectionLost` says that its outcome is unknown.
 */
export interface SharedDatabase {
  /** @see Store.run: of the database as connections reach it now. It is another one before anything is read in that run. */
  readonly run: Uint8Array
  /** @see Store.reachOf */
  reachOf(run: Uint8Array): number | undefined

  readonly nodes: NodeTable
  readonly outbox: Outbox

  /** For the derivation of one batch. `turn`: between two slices of it. */
  records(turn: Turn): BatchRecords
  /** Writes a batch, unless another batch after `knownUpTo` has written what was read for it. */
  write: WriteBatch
  /** Runs `work` while nothing else is written to the database. What it writes is there when `write` resolves. */
  alone(work: (write: WriteBatch) => Promise<void>): Promise<void>
  logAfter(position: number): Promise<LogRead>
  /** Whether the outcome of a call is unknown, since the connection was lost. */
  isConnectionLost(error: unknown): boolean
  /** This node has written: the others may want to know. */
  say(): void
  /** Calls `written` when another node may have written, and `applied` when it may have applied. Nothing depends on it. */
  listen(heard: { written(): void; applied(): void }): void
  close(): Promise<void>

  users(ids: readonly string[]): Promise<UserRecord[]>
  registeredAfter(id: string, most: number): Promise<[id: string, user: UserRecord][]>
  erasures(id: string): Promise<number>
  /** @see Store.revocation: by the clock of the database. */
  revocation(id: string): Promise<Revocation>
  /** What was written of a document at a position or since. */
  document(id: string, document: DocumentName, since?: number): Promise<StoredParts>
  /** @see Store.views: all as of one state. */
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
  /** Cursors before `oldest` are too old to be served. `at`: the head. */
  oldestCursor(nowMs: number): Promise<{ oldest: number; at: number }>
}
