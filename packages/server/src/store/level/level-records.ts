import type { LevelName, Lookup, Pair, Records, Removal } from '../../relations/record-store.ts'
import { type LevelRecord, noRelation, noUser, type Relation, type UserRecord } from '../../relations/records.ts'
import { keys, partsOf, ranges } from './keys.ts'
import { removedRange } from './operations.ts'
import type { PagedReads } from './paged-reads.ts'
import { decodeLevel, decodeNumber, decodeRelation, decodeUser } from './record-codec.ts'

/** What deriving a change and encoding it read of a Level database. */
export interface LevelReads extends Records {
  /** The keys of the records that a removal concerns. */
  keysOf(removal: Removal): AsyncIterable<string>
}

/** Records as a Level database has them. */
export class LevelRecords implements LevelReads {
  readonly #disk: PagedReads

  constructor(disk: PagedReads) {
    this.#disk = disk
  }

  async users(ids: readonly string[]): Promise<Readonly<UserRecord>[]> {
    const found = await this.#disk.getMany(ids.map(keys.user))
    return found.map(bytes => (bytes ? decodeUser(bytes) : noUser))
  }

  async relations(pairs: readonly Pair[]): Promise<Relation[]> {
    const found = await this.#disk.getMany(pairs.map(({ a, b }) => keys.relation(a, b)))
    return found.map(bytes => (bytes ? decodeRelation(bytes) : noRelation))
  }

  async *relationsOf(user: string): AsyncIterable<readonly (readonly [string, Relation])[]> {
    for await (const page of this.#disk.pages(ranges.relations(user))) {
      yield page.map(([key, bytes]) => [partsOf(key)[2] as string, decodeRelation(bytes)] as const)
    }
  }

  async levels(names: readonly LevelName[]): Promise<(LevelRecord | undefined)[]> {
    const found = await this.#disk.getMany(names.map(({ owner, level }) => keys.level(owner, level)))
    return found.map(bytes => (bytes ? decodeLevel(bytes) : undefined))
  }

  async hasAsked(lookups: readonly Lookup[]): Promise<boolean[]> {
    const found = await this.#disk.getMany(lookups.map(({ viewer, id }) => keys.asked(viewer, id)))
    return found.map(bytes => bytes !== undefined)
  }

  async erasures(ids: readonly string[]): Promise<number[]> {
    const found = await this.#disk.getMany(ids.map(keys.erased))
    return found.map(bytes => (bytes ? decodeNumber(bytes) : 0))
  }

  keysOf(removal: Removal): AsyncIterable<string> {
    return this.#disk.keys(removedRange(removal))
  }
}
