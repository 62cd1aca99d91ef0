import type { EventName, OutboxEvent, StoredEvent } from './outbox.ts'
import type { DocumentName, LevelName, LevelRecord, Relation, UserRecord } from './records.ts'

/** Two users, in the order of a relation's record: it is seen from `a`. */
export interface Pair {
  a: string
  b: string
}

export function bothSides(a: string, b: string): [Pair, Pair] {
  return [
    { a, b },
    { a: b, b: a },
  ]
}

/** An id that a user has looked up, or may have looked up [S4]. */
export interface Lookup {
  viewer: string
  id: string
}

/**
 * The reads that the derivation makes on a store, by kind of record. It reads in no other way. Each result is in the order of
 * the names. For a record that is not stored, a read returns what is true of a new user or of strangers: `noUser`,
 * `noRelation`, no level, not looked up, erased 0 times.
 */
export interface Records {
  users(ids: readonly string[]): Promise<Readonly<UserRecord>[]>
  relations(pairs: readonly Pair[]): Promise<Relation[]>
  /** All relations of a user, with the other's id. They come in pages, each in its state when it is read. */
  relationsOf(user: string): AsyncIterable<readonly (readonly [other: string, relation: Relation])[]>
  levels(names: readonly LevelName[]): Promise<(LevelRecord | undefined)[]>
  hasAsked(lookups: readonly Lookup[]): Promise<boolean[]>
  /** How often each account was erased. */
  erasures(ids: readonly string[]): Promise<number[]>
  /** Those of the events that are in the outbox. */
  events(names: readonly EventName[]): Promise<StoredEvent[]>
}

/** Names of records, by kind. */
export interface RecordNames {
  users: Iterable<string>
  relations: readonly Pair[]
  levels: readonly LevelName[]
  asked: readonly Lookup[]
  erasures: readonly string[]
}

/** One record that a batch writes; `undefined` removes it. */
export type RecordWrite =
  | { kind: 'user'; id: string; user: Readonly<UserRecord> | undefined }
  | { kind: 'relation'; pair: Pair; relation: Relation | undefined }
  | { kind: 'level'; name: LevelName; record: LevelRecord }
  | { kind: 'asked'; lookup: Lookup; atMs: number }
  | { kind: 'erasures'; id: string; count: number }
  /** The user's tokens are revoked. The store sets the date, see `revocation.ts`. */
  | { kind: 'revocation'; id: string }
  | { kind: 'update'; user: string; document: DocumentName; position: number; update: Uint8Array }
  | { kind: 'snapshot'; user: string; document: DocumentName; position: number; snapshot: Uint8Array }
  /** An event of the outbox. `undefined` removes it. `before`: the stored event, if there is one. */
  | { kind: 'event'; name: EventName; event: OutboxEvent | undefined; before?: OutboxEvent | undefined }
  /** The user's profile changed at this position. */
  | { kind: 'change'; position: number; user: string }

/** All records of one kind that a user has. A batch removes the stored ones before it writes. */
export type Removal =
  | { kind: 'levels'; owner: string }
  | { kind: 'asked'; viewer: string }
  | { kind: 'document'; user: string; document: DocumentName }
  /** All events of the outbox that concern a user. */
  | { kind: 'events'; about: string }
