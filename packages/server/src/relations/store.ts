import type { Change } from './changes.ts'
import type { Commit, CommitListener } from './commit.ts'
import type { IncarnationState } from './incarnations.ts'
import type { Lease } from './lease.ts'
import type { Outbox } from './outbox.ts'
import type { DocumentName, LevelName, LevelRecord, UserRecord } from './records.ts'
import type { Revocation } from './revocation.ts'
import type { Unwritable } from './unwritable.ts'
import type { Known, KnownPage, Looked, StoredParts, View } from './views.ts'

/** How a node stands that shares its store with others. */
interface NodeState {
  /** How long ago this node had last reported all that there was to report, in milliseconds. */
  readonly lagMs: number
  /** It is further behind than a lease lasts. */
  readonly isBehind: boolean
  /** No standby confirms what is written: a failover may lose what was answered. */
  readonly isUnconfirmed: boolean
  /** The same, and the operator has said that a standby is required. */
  readonly lacksStandby: boolean
  /** Batches that were derived again, since another node wrote what was read. */
  readonly conflicts: number
}

/**
 * Where the server's state meets the disk. One order of commits, each atomic and durable before it is reported: to the
 * listeners first, in order, then to the caller. Reads see every commit that was reported, and may see commits that will be
 * reported next: a read whose result is handed over says at which position it was made. A read of what isn't there gives
 * what a new user or strangers have. Nothing outside assumes that there is one process.
 */
export interface Store {
  /** 8 bytes that name this run of the store, from one opening to the next: cursors say under which they were given. */
  readonly run: Uint8Array
  /**
   * Up to which position a cursor of that run counts; `undefined` when this store never had it.
   *
   * @param run - The run that a cursor names.
   * @returns The position, or `undefined`.
   */
  reachOf(run: Uint8Array): number | undefined
  /** 32 secret bytes, made once for a store: they seal cursors. */
  readonly cursorKey: Uint8Array
  /** The position of the last commit that was reported. */
  readonly position: number
  /** How often the history was lost, as listeners were told: what was read before that is not to be written after it. */
  readonly losses: number
  /** Why changes are refused now, as on a full disk; what is on disk can be read all the same. `undefined` otherwise. */
  readonly refusal: Unwritable | undefined
  /** Events for the app's backend. */
  readonly outbox: Outbox
  /** Whether what was read may be handed over. */
  readonly lease: Lease
  /** How this node stands among others; absent where one process has the store for itself. */
  readonly node?: NodeState | undefined
  /**
   * Resolves when every node that may hand anything over has applied all commits up to this position: a change that took
   * something away is answered, and shown to the user's other devices, only then [V4]. Rejects when that cannot be found out in
   * time, or the store closes.
   *
   * @param position - The position of a commit.
   */
  whenEverywhere(position: number): Promise<void>
  /**
   * Resolves when all that was committed on any node before the call has been reported here: what a user may see *up to now*.
   * Rejects when that cannot be found out.
   */
  whenCurrent(): Promise<void>
  /**
   * Rejects when the disk refuses, with {@link Unwritable} for as long as it does; then nothing of the change is there.
   *
   * @param change - What to write.
   * @returns Resolves to what it did, when it is on the disk and was reported to the listeners.
   */
  commit(change: Change): Promise<Commit>
  /**
   * Subscribes to commits. Returns an unsubscribe function.
   *
   * @param listener - Called synchronously, in the order of the commits.
   * @returns A function that ends it.
   */
  onCommit(listener: CommitListener): () => void
  /**
   * The record of a user.
   *
   * @param id - The user id.
   * @returns Resolves to the record; of an unknown user, to that of a new one.
   * @throws The error of the disk, when it cannot be read.
   */
  user(id: string): Promise<UserRecord>
  /**
   * The account's present incarnation, and what the one that a device declares is worth [D7].
   *
   * @param id - The user id.
   * @param declared - The incarnation that a device says; empty if none.
   * @returns Resolves to both.
   * @throws The error of the disk, when it cannot be read.
   */
  incarnation(id: string, declared: Uint8Array): Promise<{ current: Uint8Array; state: IncarnationState }>
  /**
   * When the user's tokens and sessions were last revoked.
   *
   * @param id - The user id.
   * @returns Resolves to that time, 0 if they never were, and to what the same clock says now.
   * @throws The error of the disk, when it cannot be read.
   */
  revocation(id: string): Promise<Revocation>
  /**
   * A document as it is stored.
   *
   * @param user - The user id.
   * @param document - Which of the user's two documents.
   * @returns Resolves to snapshot and updates; empty when there is none.
   * @throws The error of the disk, when it cannot be read.
   */
  document(user: string, document: DocumentName): Promise<StoredParts>
  /**
   * The parts that were written by the commit at a position, or since.
   *
   * @param user - The user id.
   * @param document - Which of the user's two documents.
   * @param position - The position of a commit.
   * @returns Resolves to the parts.
   * @throws The error of the disk, when it cannot be read.
   */
  documentSince(user: string, document: DocumentName, position: number): Promise<StoredParts>
  /**
   * How a viewer sees owners, and the levels that `wanted` picks by what was found: none without it.
   *
   * @param viewer - The user id of the viewer.
   * @param owners - The user ids of the owners.
   * @returns Resolves to views and levels, all of one state.
   * @throws The error of the disk, when it cannot be read.
   */
  views(viewer: string, owners: readonly string[], wanted?: (views: View[]) => readonly LevelName[]): Promise<Looked>
  /**
   * Levels of owners, in the order asked for; `undefined` where a level was never written.
   *
   * @param names - Owners and levels.
   * @returns Resolves to the records.
   * @throws The error of the disk, when it cannot be read.
   */
  levels(names: readonly LevelName[]): Promise<(LevelRecord | undefined)[]>
  /**
   * Levels at which the owner has any field, ascending.
   *
   * @param owner - The user id of the owner.
   * @returns Resolves to the levels.
   * @throws The error of the disk, when it cannot be read.
   */
  levelsWithFields(owner: string): Promise<number[]>
  /**
   * Everybody whom the user has to do with.
   *
   * @param user - The user id.
   * @returns Resolves to the relations.
   * @throws The error of the disk, when it cannot be read.
   */
  relations(user: string): Promise<Known[]>
  /**
   * The same, some at a time, each as it stands when it is read: for what needs not hold all of them at once.
   *
   * @param user - The user id.
   * @returns The pages, which reject with the error of the disk.
   */
  relationsOf(user: string): AsyncIterable<KnownPage>
  /**
   * The records of several users.
   *
   * @param ids - User ids.
   * @returns Resolves to the records, in the order asked for.
   * @throws The error of the disk, when it cannot be read.
   */
  users(ids: readonly string[]): Promise<UserRecord[]>
  /**
   * Registered users whose ids come after this one, in the order of their bytes.
   *
   * @param id - A user id, or the empty string.
   * @param most - As many users at most.
   * @returns Resolves to ids and records.
   * @throws The error of the disk, when it cannot be read.
   */
  registeredAfter(id: string, most: number): Promise<[id: string, user: UserRecord][]>
  /**
   * Whether a user has looked up an id: a further look-up costs nothing of the budget [S4].
   *
   * @param user - The user who may have asked.
   * @param id - The user id that they may have asked for.
   * @returns Resolves to whether it was a look-up before.
   * @throws The error of the disk, when it cannot be read.
   */
  hasAsked(user: string, id: string): Promise<boolean>
  /**
   * Users whose documents or standing changed after a position; `undefined` when there are more than `most`, or they are forgotten.
   *
   * @param position - The position of a commit.
   * @returns Resolves to the user ids.
   * @throws The error of the disk, when it cannot be read.
   */
  changedSince(position: number, most: number): Promise<string[] | undefined>
  /**
   * Cursors before this position are too old to be served [F1].
   *
   * @returns Resolves to the position.
   * @throws The error of the disk, when it cannot be read.
   */
  oldestCursor(): Promise<number>
  /**
   * Settles the last commit, then closes the disk. Can be called twice.
   *
   * @returns Resolves when nothing of it is open.
   * @throws The error of the disk, if it does not close.
   */
  close(): Promise<void>
}
