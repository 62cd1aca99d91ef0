import { noRelation, noUser, type Relation, type UserRecord } from '../relations/records.ts'
import type { LevelReads } from '../store/level/level-records.ts'

/**
 * The stored records, for the derivation of a group of users who know no user of earlier groups except those who are kept.
 * Nothing is read from the disk. A read that would need the disk throws, because the result of the derivation would be wrong.
 */
export class BulkRecords implements LevelReads {
  readonly #kept: ReadonlyMap<string, Readonly<UserRecord>>
  /** Users with a record who can no longer be used: they belong to earlier groups, and are not kept. */
  readonly #over: ReadonlySet<string>

  constructor(kept: ReadonlyMap<string, Readonly<UserRecord>>, over: ReadonlySet<string>) {
    this.#kept = kept
    this.#over = over
  }

  users(ids: readonly string[]): Promise<Readonly<UserRecord>[]> {
    for (const id of ids) if (this.#over.has(id)) throw new Error(`${id} is of an earlier group`)
    return Promise.resolve(ids.map(id => this.#kept.get(id) ?? noUser))
  }

  relations(pairs: readonly unknown[]): Promise<Relation[]> {
    return Promise.resolve(pairs.map(() => noRelation))
  }

  async *relationsOf(user: string): AsyncIterable<never[]> {
    // The relations of a user who can no longer be used are never requested, because that user's record was read before.
    if (this.#kept.has(user)) throw new Error(`the relations of ${user} are of earlier groups`)
    yield []
  }

  levels(names: readonly unknown[]): Promise<undefined[]> {
    return Promise.resolve(names.map(() => undefined))
  }

  hasAsked(lookups: readonly unknown[]): Promise<boolean[]> {
    return Promise.resolve(lookups.map(() => false))
  }

  erasures(ids: readonly string[]): Promise<number[]> {
    return Promise.resolve(ids.map(() => 0))
  }

  events(): Promise<never[]> {
    return Promise.resolve([])
  }

  /** A group removes only what it has written itself. */
  async *keysOf(): AsyncIterable<string> {
    yield* []
  }

  revokedAtMs(ids: readonly string[]): Promise<number[]> {
    return Promise.resolve(ids.map(() => 0))
  }
}
