import type { Change } from './changes.ts'
import type { Commit, CommitListener } from './commit.ts'
import type { IncarnationState } from './incarnations.ts'
import type { Lease } from './lease.ts'
import type { Outbox } from './outbox.ts'
import type { DocumentName, LevelName, LevelRecord, UserRecord } from './records.ts'
import type { Revocation } from './revocation.ts'
import type { Unwritable } from './unwritable.ts'
import type { Known, KnownPage, Looked, StoredParts, View } from './views.ts'

/** The state of a node that shares its store with others. */
interface NodeState {
  /** The time since this node had last reported every commit that there was to report, in milliseconds. */
  readonly lagMs: number
  /** The node is further behind than the duration of a lease. */
  readonly isBehind: boolean
  /** No standby confirms writes: a failover may lose acknowledged changes. */
  readonly isUnconfirmed: boolean
  /** `isUnconfirmed` holds although the operator has declared that a standby is required. */
  readonly lacksStandby: boolean
  /** The number of batches that were derived again because another node wrote something that they had read. */
  readonly conflicts: number
}

/**
 * The interface between the server's state and the disk. There is one order of commits. Each commit is atomic, and durable
 * before it is reported: first to the listeners, in order, then to the caller. Reads see every reported commit, and may see
 * commits that will be reported next. So a read whose result is handed over returns the position at which it was made. A read
 * of a missing record returns what a new user or strangers have. No code outside the store assumes that there is one process.
 */
export interface Store {
  /**
   * 8 bytes that name this run of the store, from one opening to the next. Each cursor contains the run in which it was issued.
   */
  readonly run: Uint8Array
  /**
   * Returns the position up to which a cursor of that run is valid, or `undefined` if this store never had that run.
   *
   * @param run - The run in a cursor.
   * @returns The position, or `undefined`.
   */
  reachOf(run: Uint8Array): number | undefined
  /** 32 secret bytes, made once for a store, that seal cursors. */
  readonly cursorKey: Uint8Array
  /** The position of the last commit that was reported. */
  readonly position: number
  /**
   * How often the history was lost, as reported to listeners. Data that was read before a loss must not be written after it.
   */
  readonly losses: number
  /** Why changes are refused now, for example because the disk is full. Reads still work. `undefined` otherwise. */
  readonly refusal: Unwritable | undefined
  /** Events for the app's backend. */
  readonly outbox: Outbox
  /** Whether the results of reads may be handed over. */
  readonly lease: Lease
  /** The state of this node among others. Absent if only one process uses the store. */
  readonly node?: NodeState | undefined
  /**
   * Resolves when every node that may hand anything over has applied all commits up to this position. Only then is a change
   * that took something away acknowledged, and shown to the user's other devices [V4]. Rejects if that cannot be determined in
   * time, or if the store closes.
   *
   * @param position - The position of a commit.
   */
  whenEverywhere(position: number): Promise<void>
  /**
   * Resolves when all commits of any node before the call have been reported here: what a user may see *up to now*. Rejects if
   * that cannot be determined.
   */
  whenCurrent(): Promise<void>
  /**
   * Writes a change. While the disk refuses writes, rejects with {@link Unwritable}. Then nothing of the change was written.
   *
   * @param change - What to write.
   * @returns Resolves to the effects of the change, when it is on disk and was reported to the listeners.
   */
  commit(change: Change): Promise<Commit>
  /**
   * Subscribes to commits. Returns an unsubscribe function.
   *
   * @param listener - Called synchronously, in the order of the commits.
   * @returns The unsubscribe function.
   */
  onCommit(listener: CommitListener): () => void
  /**
   * Returns the record of a user.
   *
   * @param id - The user id.
   * @returns Resolves to the record. For an unknown user, this is the record of a new user.
   * @throws The error of the disk, if it cannot be read.
   */
  user(id: string): Promise<UserRecord>
  /**
   * Returns the account's present incarnation, and how the one that a device declares relates to it [D7].
   *
   * @param id - The user id.
   * @param declared - The incarnation that a device declares; empty if none.
   * @returns Resolves to both.
   * @throws The error of the disk, if it cannot be read.
   */
  incarnation(id: string, declared: Uint8Array): Promise<{ current: Uint8Array; state: IncarnationState }>
  /**
   * Returns when the user's tokens and sessions were last revoked.
   *
   * @param id - The user id.
   * @returns Resolves to that time, or 0 if they were never revoked, and to the present time of the same clock.
   * @throws The error of the disk, if it cannot be read.
   */
  revocation(id: string): Promise<Revocation>
  /**
   * Returns a document as it is stored.
   *
   * @param user - The user id.
   * @param document - Which of the user's two documents.
   * @returns Resolves to the snapshot and the updates; empty if there is none.
   * @throws The error of the disk, if it cannot be read.
   */
  document(user: string, document: DocumentName): Promise<StoredParts>
  /**
   * Returns the parts that were written by the commit at a position, or since.
   *
   * @param user - The user id.
   * @param document - Which of the user's two documents.
   * @param position - The position of a commit.
   * @returns Resolves to the parts.
   * @throws The error of the disk, if it cannot be read.
   */
  documentSince(user: string, document: DocumentName, position: number): Promise<StoredParts>
  /**
   * Returns how a viewer sees owners, and the levels that `wanted` selects from these views. Without `wanted`, no levels are
   * read.
   *
   * @param viewer - The user id of the viewer.
   * @param owners - The user ids of the owners.
   * @returns Resolves to views and levels, all of one state.
   * @throws The error of the disk, if it cannot be read.
   */
  views(viewer: string, owners: readonly string[], wanted?: (views: View[]) => readonly LevelName[]): Promise<Looked>
  /**
   * Returns levels of owners, in the order of `names`. `undefined` where a level was never written.
   *
   * @param names - Owners and levels.
   * @returns Resolves to the records.
   * @throws The error of the disk, if it cannot be read.
   */
  levels(names: readonly LevelName[]): Promise<(LevelRecord | undefined)[]>
  /**
   * Returns the levels at which the owner has any field, ascending.
   *
   * @param owner - The user id of the owner.
   * @returns Resolves to the levels.
   * @throws The error of the disk, if it cannot be read.
   */
  levelsWithFields(owner: string): Promise<number[]>
  /**
   * Returns all relations of the user.
   *
   * @param user - The user id.
   * @returns Resolves to the relations.
   * @throws The error of the disk, if it cannot be read.
   */
  relations(user: string): Promise<Known[]>
  /**
   * Returns the same in pages, each in its state when it is read. For callers that do not need all of them in memory at once.
   *
   * @param user - The user id.
   * @returns The pages. They reject with the error of the disk.
   */
  relationsOf(user: string): AsyncIterable<KnownPage>
  /**
   * Returns the records of several users.
   *
   * @param ids - User ids.
   * @returns Resolves to the records, in the order of `ids`.
   * @throws The error of the disk, if it cannot be read.
   */
  users(ids: readonly string[]): Promise<UserRecord[]>
  /**
   * Returns registered users whose ids come after this one, in the order of their bytes.
   *
   * @param id - A user id, or the empty string.
   * @param most - The largest number of users to return.
   * @returns Resolves to ids and records.
   * @throws The error of the disk, if it cannot be read.
   */
  registeredAfter(id: string, most: number): Promise<[id: string, user: UserRecord][]>
  /**
   * Returns whether a user has looked up an id. A further look-up of that id costs no budget [S4].
   *
   * @param user - The user who may have looked up the id.
   * @param id - The user id that they may have looked up.
   * @returns Resolves to whether they have looked it up before.
   * @throws The error of the disk, if it cannot be read.
   */
  hasAsked(user: string, id: string): Promise<boolean>
  /**
   * Returns the users whose documents or standing changed after a position. Returns `undefined` if there are more than `most`,
   * or if the changes are no longer stored.
   *
   * @param position - The position of a commit.
   * @returns Resolves to the user ids.
   * @throws The error of the disk, if it cannot be read.
   */
  changedSince(position: number, most: number): Promise<string[] | undefined>
  /**
   * Returns the oldest position at which a cursor is accepted. Older cursors are too old [F1].
   *
   * @returns Resolves to the position.
   * @throws The error of the disk, if it cannot be read.
   */
  oldestCursor(): Promise<number>
  /**
   * The last time, in ms, at which the clock was observed and behind which it has not been put back within a day since. So a
   * clock that is wrong for less than a day does not change it. It may be a day or more before the present time, and 0 before
   * the first change.
   */
  readonly confirmedMs: number
  /**
   * Waits for the last commit, then closes the disk. Can be called twice.
   *
   * @returns Resolves when everything is closed.
   * @throws The error of the disk, if it does not close.
   */
  close(): Promise<void>
}
