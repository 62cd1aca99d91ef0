import type { EventName, StoredEvent } from '../../relations/outbox.ts'
import type { Lookup, Pair, Removal } from '../../relations/record-store.ts'
import type { LevelName, LevelRecord, Relation, UserRecord } from '../../relations/records.ts'
import type { LevelReads } from './level-records.ts'
import type { OwnMemory } from './own-memory.ts'

/**
 * The reads of a batch. The records of the users whose changes are in the batch come from memory if they are there. A batch
 * that was abandoned may still have reads in progress. Their results are not kept, because the next batch may have written
 * those records meanwhile.
 */
export class OwnReads implements LevelReads {
  readonly #disk: LevelReads
  readonly #memory: OwnMemory
  readonly #subjects: ReadonlySet<string>
  #isOver = false

  /** `subjects`: the users whose changes are in the batch. */
  constructor(disk: LevelReads, memory: OwnMemory, subjects: Iterable<string>) {
    this.#disk = disk
    this.#memory = memory
    this.#subjects = new Set(subjects)
  }

  /** The batch was written or abandoned. */
  end(): void {
    this.#isOver = true
  }

  async users(ids: readonly string[]): Promise<Readonly<UserRecord>[]> {
    const known = ids.map(id => (this.#subjects.has(id) ? this.#memory.user(id) : undefined))
    const missing = ids.filter((_, index) => !known[index])
    if (missing.length === 0) return known as Readonly<UserRecord>[]
    const found = await this.#disk.users(missing)
    for (const [index, id] of missing.entries()) {
      if (this.#isKept(id)) this.#memory.keepUser(id, found[index] as UserRecord)
    }
    const rest = found.values()
    return known.map(user => user ?? (rest.next().value as UserRecord))
  }

  async levels(names: readonly LevelName[]): Promise<(LevelRecord | undefined)[]> {
    const isKnown = (name: LevelName): boolean => this.#subjects.has(name.owner) && this.#memory.hasLevel(name)
    const known = names.map(name => (isKnown(name) ? { record: this.#memory.level(name) } : undefined))
    const missing = names.filter((_, index) => !known[index])
    if (missing.length === 0) return known.map(one => one?.record) as (LevelRecord | undefined)[]
    const found = await this.#disk.levels(missing)
    for (const [index, name] of missing.entries()) {
      if (this.#isKept(name.owner)) this.#memory.keepLevel(name, found[index])
    }
    const rest = found.values()
    return known.map(one => (one ? one.record : rest.next().value))
  }

  #isKept(id: string): boolean {
    return !this.#isOver && this.#subjects.has(id)
  }

  relations(pairs: readonly Pair[]): Promise<Relation[]> {
    return this.#disk.relations(pairs)
  }

  relationsOf(user: string): AsyncIterable<readonly (readonly [string, Relation])[]> {
    return this.#disk.relationsOf(user)
  }

  hasAsked(lookups: readonly Lookup[]): Promise<boolean[]> {
    return this.#disk.hasAsked(lookups)
  }

  erasures(ids: readonly string[]): Promise<number[]> {
    return this.#disk.erasures(ids)
  }

  events(names: readonly EventName[]): Promise<StoredEvent[]> {
    return this.#disk.events(names)
  }

  revokedAtMs(ids: readonly string[]): Promise<number[]> {
    return this.#disk.revokedAtMs(ids)
  }

  keysOf(removal: Removal): AsyncIterable<string> {
    return this.#disk.keysOf(removal)
  }
}
