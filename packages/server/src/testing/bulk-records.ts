import { noRelation, noUser, type Relation, type UserRecord } from '../relations/records.ts'
import type { LevelReads } from '../store/level/level-records.ts'

/**
 * What is stored, for the derivation of a group of users who know nobody of the groups before but those who are kept: nothing
 * is read of the disk. A read that would have needed it throws, since what was derived from it would be wrong.
 */
export class BulkRecords implements LevelReads {
  readonly #kept: ReadonlyMap<string, Readonly<UserRecord>>
  /** Users with a record who are over: they belong to groups before, and are not kept. */
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
    // Nobody asks for those of a user who is over: that user's record was read before.
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

  /** What a group removes it has written itself. */
  async *keysOf(): AsyncIterable<string> {
    yield* []
  }

  revokedAtMs(ids: readonly string[]): Promise<number[]> {
    return Promise.resolve(ids.map(() => 0))
  }
}
