import type { EventName, StoredEvent } from '../../relations/outbox.ts'
import type { Lookup, Pair } from '../../relations/record-store.ts'
import type { LevelName, LevelRecord, Relation, UserRecord } from '../../relations/records.ts'
import { type Turn, turnForSlice } from '../../turns.ts'
import type { BatchRecords, Versioned } from '../nodes/shared-database.ts'
import {
  decodeEvent,
  decodeLevel,
  decodeRelation,
  decodeUser,
  documentNumbers,
  type EventRow,
  type RelationRow,
} from './codec.ts'
import type { Rows, Statement } from './database.ts'

/** The number of records that are read together and decoded in one slice. */
const recordsAtOnce = 250

interface Positioned {
  at: number
}

/** The database's records, for the derivation of one batch. */
export class PostgresRecords implements BatchRecords {
  readonly #database: Rows
  #knownUpTo = Number.POSITIVE_INFINITY

  readonly #turn: Turn

  /** `turn`: called between two slices. */
  constructor(database: Rows, turn: Turn = turnForSlice) {
    this.#database = database
    this.#turn = turn
  }

  get knownUpTo(): number {
    return this.#knownUpTo
  }

  users(ids: readonly string[]): Promise<Readonly<UserRecord>[]> {
    return this.#inSlices(ids, statements.users, some => [some], decodeUser)
  }

  relations(pairs: readonly Pair[]): Promise<Relation[]> {
    const values = (some: readonly Pair[]): unknown[] => [some.map(({ a }) => a), some.map(({ b }) => b)]
    return this.#inSlices(pairs, statements.relations, values, decodeRelation)
  }

  async *relationsOf(user: string): AsyncIterable<readonly (readonly [string, Relation])[]> {
    for await (const { at, relations } of relationPages(this.#database, user, this.#turn)) {
      this.#note(at)
      yield relations
    }
  }

  levels(names: readonly LevelName[]): Promise<(LevelRecord | undefined)[]> {
    return this.#inSlices(names, statements.levels, levelValues, decodeLevel)
  }

  hasAsked(lookups: readonly Lookup[]): Promise<boolean[]> {
    const values = (some: readonly Lookup[]): unknown[] => [some.map(({ viewer }) => viewer), some.map(({ id }) => id)]
    return this.#inSlices(lookups, statements.asked, values, ({ found }: { found: boolean }) => found)
  }

  erasures(ids: readonly string[]): Promise<number[]> {
    return this.#inSlices(
      ids,
      statements.erasures,
      some => [some],
      ({ erasures }: { erasures: number }) => erasures,
    )
  }

  async events(names: readonly EventName[]): Promise<StoredEvent[]> {
    const values = (some: readonly EventName[]): unknown[] => [
      some.map(({ position }) => position),
      some.map(({ index }) => index),
    ]
    const decode = (row: Partial<EventRow>): StoredEvent | undefined =>
      row.body == null ? undefined : decodeEvent(row as EventRow)
    const found = await this.#inSlices(names, statements.events, values, decode)
    return found.filter(one => one !== undefined)
  }

  async versions(wanted: readonly Versioned[]): Promise<{ version: number; revokedAt: number }[]> {
    const values = (some: readonly Versioned[]): unknown[] => [
      some.map(({ user }) => user),
      some.map(({ document }) => documentNumbers[document]),
    ]
    return this.#inSlices(wanted, statements.versions, values, (row: { version: number; revoked_at: number }) => ({
      version: row.version,
      revokedAt: row.revoked_at,
    }))
  }

  #note(at: number): void {
    this.#knownUpTo = Math.min(this.#knownUpTo, at)
  }

  /** In slices, because decoding many records together would block the event loop [S3]. */
  async #inSlices<Name, Row, Value>(
    names: readonly Name[],
    statement: Statement,
    valuesOf: (names: readonly Name[]) => unknown[],
    decode: (row: Row) => Value,
  ): Promise<Value[]> {
    const found: Value[] = []
    for (let start = 0; start < names.length; start += recordsAtOnce) {
      if (start > 0) await this.#turn()
      const values = valuesOf(names.slice(start, start + recordsAtOnce))
      const rows = await this.#database.rows<Row & Positioned>({ ...statement, values })
      if (rows[0]) this.#note(rows[0].at)
      for (const row of rows) found.push(decode(row))
    }
    return found
  }
}

/** Each row has the position of the state that the whole statement read. */
const at = '(select position from head) as at'

const statements: Readonly<
  Record<'users' | 'relations' | 'levels' | 'asked' | 'erasures' | 'events' | 'versions', Statement>
> = {
  users: {
    name: 'kith-users',
    text: `select ${at}, u.registered_at, u.levels, u.record
      from unnest($1::text[]) with ordinality as k (id, n) left join users u on u.id = k.id order by k.n`,
  },
  relations: {
    name: 'kith-relations',
    text: `select ${at}, r.changed_at, r.joined_at, r.record as relation
      from unnest($1::text[], $2::text[]) with ordinality as k (a, b, n)
      left join relation r on r.a = k.a and r.b = k.b order by k.n`,
  },
  levels: {
    name: 'kith-levels',
    text: `select ${at}, l.position, l.fields from unnest($1::text[], $2::int[]) with ordinality as k (owner, level, n)
      left join level l on l.owner = k.owner and l.level = k.level order by k.n`,
  },
  asked: {
    name: 'kith-asked',
    text: `select ${at}, a.id is not null as found from unnest($1::text[], $2::text[]) with ordinality as k (viewer, id, n)
      left join asked a on a.viewer = k.viewer and a.id = k.id order by k.n`,
  },
  versions: {
    name: 'kith-versions',
    text: `select ${at}, coalesce(a.revoked_at, 0) as revoked_at,
        coalesce((select max(position) from document d where d.id = k.id and d.name = k.name), 0) as version
      from unnest($1::text[], $2::int[]) with ordinality as k (id, name, n) left join account a on a.id = k.id order by k.n`,
  },
  events: {
    name: 'kith-events',
    text: `select ${at}, e.* from unnest($1::bigint[], $2::int[]) with ordinality as k (position, index, n)
      left join event e on e.position = k.position and e.index = k.index order by k.n`,
  },
  erasures: {
    name: 'kith-erasures',
    text: `select ${at}, coalesce(a.erasures, 0) as erasures from unnest($1::text[]) with ordinality as k (id, n)
      left join account a on a.id = k.id order by k.n`,
  },
}

export const usersByIds: Statement = statements.users
export const levelsByNames: Statement = statements.levels

export function levelValues(names: readonly LevelName[]): unknown[] {
  return [names.map(({ owner }) => owner), names.map(({ level }) => level)]
}

const relationPage: Statement = {
  name: 'kith-relation-page',
  text: `select h.position as at, r.b, r.changed_at, r.joined_at, r.record as relation from head h
    left join lateral (select * from relation where a = $1 and b > $2 order by b limit $3) r on true order by r.b`,
}

/** All relations of a user, a page at a time, each with the position of the state in which it was read. */
export async function* relationPages(
  database: Rows,
  user: string,
  turn: Turn = turnForSlice,
): AsyncIterable<{ at: number; relations: (readonly [other: string, relation: Relation])[] }> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const values: unknown[] = [user, after, recordsAtOnce]
    const rows: (Positioned & RelationRow & { b: string | null })[] = await database.rows({ ...relationPage, values })
    // The consumer processes a page without yielding.
    if (rows.length === recordsAtOnce) await turn()
    const relations = rows.flatMap(row => (row.b === null ? [] : [[row.b, decodeRelation(row)] as const]))
    yield { at: rows[0]?.at ?? 0, relations }
    after = rows.length < recordsAtOnce ? undefined : (relations.at(-1)?.[0] as string)
  }
}
