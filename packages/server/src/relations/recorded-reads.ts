import { type EventName, type StoredEvent, usersOf } from './outbox.ts'
import { names } from './record-names.ts'
import type { Lookup, Pair, Records } from './record-store.ts'
import type { LevelName, LevelRecord, Relation, UserRecord } from './records.ts'

/**
 * Reads that record their names, as the read set of what is derived from them. A name is recorded before its record is read, so
 * a batch that is written during the read counts as a conflict.
 */
export class RecordedReads implements Records {
  /** The names of what was read, as in `record-names.ts`. */
  readonly read: Set<string> = new Set()
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  users(ids: readonly string[]): Promise<Readonly<UserRecord>[]> {
    for (const id of ids) this.read.add(names.user(id))
    return this.#records.users(ids)
  }

  relations(pairs: readonly Pair[]): Promise<Relation[]> {
    for (const { a, b } of pairs) this.read.add(names.relation(a, b))
    return this.#records.relations(pairs)
  }

  relationsOf(user: string): AsyncIterable<readonly (readonly [string, Relation])[]> {
    this.read.add(names.relations(user))
    return this.#records.relationsOf(user)
  }

  levels(wanted: readonly LevelName[]): Promise<(LevelRecord | undefined)[]> {
    for (const { owner } of wanted) this.read.add(names.levels(owner))
    return this.#records.levels(wanted)
  }

  hasAsked(lookups: readonly Lookup[]): Promise<boolean[]> {
    for (const { viewer } of lookups) this.read.add(names.asked(viewer))
    return this.#records.hasAsked(lookups)
  }

  erasures(ids: readonly string[]): Promise<number[]> {
    for (const id of ids) this.read.add(names.erasures(id))
    return this.#records.erasures(ids)
  }

  /** Which users the events concern is known only after the read. Nothing is derived from an event that is gone. */
  async events(wanted: readonly EventName[]): Promise<StoredEvent[]> {
    const found = await this.#records.events(wanted)
    for (const { event } of found) for (const user of usersOf(event)) this.read.add(names.events(user))
    return found
  }
}
