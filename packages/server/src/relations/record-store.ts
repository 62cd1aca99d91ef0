import type { EventName, OutboxEvent, StoredEvent } from './outbox.ts'
import type { DocumentName, LevelName, LevelRecord, Relation, UserRecord } from './records.ts'

/** Two users, in the order in which a relation's record has them: it is seen from `a`. */
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

/** An id that a user has looked up, or may have [S4]. */
export interface Lookup {
  viewer: string
  id: string
}

/**
 * What the derivation reads of a store, by kind of record: the only way in which it reads. Each list is in the order of the
 * names. Of a record that is not stored, a read returns what is true of a new user or of strangers: `noUser`, `noRelation`,
 * no level, not looked up, erased 0 times.
 */
export interface Records {
  users(ids: readonly string[]): Promise<Readonly<UserRecord>[]>
  relations(pairs: readonly Pair[]): Promise<Relation[]>
  /** All relations of a user, with the other's id: a page at a time, each as it stands when it is read. */
  relationsOf(user: string): AsyncIterable<readonly (readonly [other: string, relation: Relation])[]>
  levels(names: readonly LevelName[]): Promise<(LevelRecord | undefined)[]>
  hasAsked(lookups: readonly Lookup[]): Promise<boolean[]>
  /** How often each account was erased. */
  erasures(ids: readonly string[]): Promise<number[]>
  /** Those of the events that the outbox holds. */
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
  /** The user's tokens are revoked. The store dates it, by `revocation.ts`. */
  | { kind: 'revocation'; id: string }
  | { kind: 'update'; user: string; document: DocumentName; position: number; update: Uint8Array }
  | { kind: 'snapshot'; user: string; document: DocumentName; position: number; snapshot: Uint8Array }
  /** An event of the outbox; `undefined` removes it. `before`: as it is stored, if it is. */
  | { kind: 'event'; name: EventName; event: OutboxEvent | undefined; before?: OutboxEvent | undefined }
  /** The user's profile changed at this position. */
  | { kind: 'change'; position: number; user: string }

/** All records of a kind that a user has: a batch removes those that are stored before it writes. */
export type Removal =
  | { kind: 'levels'; owner: string }
  | { kind: 'asked'; viewer: string }
  | { kind: 'document'; user: string; document: DocumentName }
  /** All events of the outbox that are about a user. */
  | { kind: 'events'; about: string }
