import type { Incarnations } from '../incarnations.ts'
import type { Records } from '../record-store.ts'
import type { DocumentName, LevelRecord, Relation } from '../records.ts'

/** A whole store, as read by `checkStore`. */
export interface CheckedStore {
  /** The naming of its accounts' incarnations. `undefined` for a store that was never started. */
  readonly incarnations: Incarnations | undefined
  /** When records that no device needs were last removed. `undefined` for a store in which they were never removed. */
  readonly lapsing: LastLapsing | undefined
  /** The ids of all users who have a record or are named in one. An id may occur several times. */
  ids(): AsyncIterable<string>
  /** Runs `work` on one state of the store: all its reads are consistent, even while others write. */
  inState<T>(work: (state: CheckedState) => Promise<T>): Promise<T>
  /**
   * Returns the relations that {@link CheckedState.mirrors} left for later, and that the check of the other user has not compared
   * since: the other side is missing, or the other user cannot be read. Returns each of them once.
   */
  uncompared(): Iterable<Uncompared>
}

/** A relation of a user, and its other side. */
export interface Uncompared {
  user: string
  other: string
  relation: Relation
  mirror: Relation
}

/** The other side of a relation: the same pair, seen from the other user. */
export interface Mirror {
  relation: Relation
  /** Whether both sides are compared now. Otherwise each is compared when its own user is checked. */
  isForBoth: boolean
}

/** The last removal of records that no device needs. */
export interface LastLapsing {
  /** Cursors before this position are not accepted. */
  upTo: number
  /** When it was decided what is removed, in ms. */
  observedMs: number
  /** The confirmed time at that moment, in ms: look-ups are removed that were old then. */
  confirmedMs: number
}

/** One state of a store. */
export interface CheckedState extends Pick<Records, 'users' | 'relationsOf' | 'erasures'> {
  /** The position of the last commit in it. */
  readonly position: number
  /**
   * The other sides of a user's relations with these users. `undefined` for a relation that is compared when the other user is
   * checked.
   */
  mirrors(user: string, others: readonly string[]): Promise<readonly (Mirror | undefined)[]>
  /** The stored levels of a user. */
  levelsOf(owner: string): Promise<readonly (readonly [level: number, record: LevelRecord])[]>
  /** The updates of a document, in the order in which they were written. */
  documentOf(user: string, document: DocumentName): Promise<Uint8Array[]>
}

/** One difference between what is stored and what it should be. */
export interface Finding {
  user: string
  what: string
}

/**
 * Records that no device needs any more, of the kinds that a server removes once a day. Some may have lapsed since, or may
 * remain because the server was stopped. They are not wrong, and are removed on another day. A number that grows from week to
 * week indicates a bug, except for `tokens`.
 */
export interface Leftovers {
  relations: number
  lookups: number
  days: number
  /** Entries of the log of changed profiles from before the oldest cursor. In a database: batches that should be trimmed. */
  changes: number
  /** Documents whose updates are larger than their snapshot. The next change of the document folds them. */
  logs: number
  /** Users whom a roster declined long ago, and who are not registered. The next refounding of the roster forgets them. */
  declined: number
  /** Records that are equivalent to no record, of users whom others name. Version 0.1.0 wrote them, this version does not. */
  users: number
  /** Revocations of tokens of users who have no record. They are never removed: a token without `exp` does not expire. */
  tokens: number
}

/** The result of a check. */
export interface CheckReport {
  users: number
  relations: number
  /** They do not count as differences. */
  leftovers: Leftovers
  /** Empty if the store is consistent. */
  findings: Finding[]
}

/** The check of one user. */
export interface Checking {
  state: CheckedState
  user: string
  incarnations: Incarnations | undefined
  lapsing: LastLapsing | undefined
  note(what: string): void
  noteOf(user: string, what: string): void
}
