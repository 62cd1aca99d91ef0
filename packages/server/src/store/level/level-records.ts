import type { EventName, StoredEvent } from '../../relations/outbox.ts'
import type { Lookup, Pair, Records, Removal } from '../../relations/record-store.ts'
import {
  type LevelName,
  type LevelRecord,
  noRelation,
  noUser,
  type Relation,
  type UserRecord,
} from '../../relations/records.ts'
import { type Turn, turnForSlice } from '../../turns.ts'
import { eventNameIn, type KeyRange, keys, lastPartOf, ranges } from './keys.ts'
import { keysOfEvent, removedRange } from './operations.ts'
import type { PagedReads } from './paged-reads.ts'
import {
  decodeEvent,
  decodeLevel,
  decodeNumber,
  decodeRelation,
  decodeText,
  decodeUser,
  relationsDecoder,
} from './record-codec.ts'

/** The reads on a Level database for deriving a change and encoding it. */
export interface LevelReads extends Records {
  /** The keys of the records that a removal removes. */
  keysOf(removal: Removal): AsyncIterable<string>
  /** When the users' tokens were revoked; 0 if never. */
  revokedAtMs(ids: readonly string[]): Promise<number[]>
}

/** The number of records that are read and decoded in one slice. */
const recordsAtOnce = 250

const numberOf = (bytes: Uint8Array | undefined): number => (bytes ? decodeNumber(bytes) : 0)

/** The records on a Level database. */
export class LevelRecords implements LevelReads {
  readonly #disk: PagedReads
  readonly #turn: Turn

  /** `turn`: called between two slices. */
  constructor(disk: PagedReads, turn: Turn = turnForSlice) {
    this.#disk = disk
    this.#turn = turn
  }

  users(ids: readonly string[]): Promise<Readonly<UserRecord>[]> {
    return this.#read(ids, keys.user, bytes => (bytes ? decodeUser(bytes) : noUser))
  }

  relations(pairs: readonly Pair[]): Promise<Relation[]> {
    const decode = (bytes: Uint8Array | undefined): Relation => (bytes ? decodeRelation(bytes) : noRelation)
    return this.#read(pairs, ({ a, b }) => keys.relation(a, b), decode)
  }

  async *relationsOf(user: string): AsyncIterable<readonly (readonly [string, Relation])[]> {
    const decode = relationsDecoder()
    for await (const page of this.#disk.pages(ranges.relations(user), this.#turn)) {
      yield page.map(([key, bytes]) => [lastPartOf(key), decode(bytes)] as const)
    }
  }

  levels(names: readonly LevelName[]): Promise<(LevelRecord | undefined)[]> {
    const decode = (bytes: Uint8Array | undefined): LevelRecord | undefined => bytes && decodeLevel(bytes)
    return this.#read(names, ({ owner, level }) => keys.level(owner, level), decode)
  }

  hasAsked(lookups: readonly Lookup[]): Promise<boolean[]> {
    const isThere = (bytes: Uint8Array | undefined): boolean => bytes !== undefined
    return this.#read(lookups, ({ viewer, id }) => keys.asked(viewer, id), isThere)
  }

  erasures(ids: readonly string[]): Promise<number[]> {
    return this.#read(ids, keys.erased, numberOf)
  }

  async events(names: readonly EventName[]): Promise<StoredEvent[]> {
    const found = await this.#read(names, keys.event, bytes => bytes && decodeEvent(bytes))
    return names.flatMap((name, index) => {
      const event = found[index]
      return event ? [{ name, event }] : []
    })
  }

  revokedAtMs(ids: readonly string[]): Promise<number[]> {
    return this.#read(ids, keys.tokens, numberOf)
  }

  keysOf(removal: Removal): AsyncIterable<string> {
    const range = removedRange(removal)
    return removal.kind === 'events' ? this.#keysOfEvents(range) : this.#disk.keys(range, this.#turn)
  }

  /** `range`: the index records of events that concern a user. */
  async *#keysOfEvents(range: KeyRange): AsyncIterable<string> {
    for await (const page of this.#disk.pages(range, this.#turn)) {
      for (const [key, bytes] of page) yield* keysOfEvent(eventNameIn(key), JSON.parse(decodeText(bytes)))
    }
  }

  /** In slices, because decoding many records together would block the event loop [S3]. */
  async #read<Name, Value>(
    names: readonly Name[],
    keyOf: (name: Name) => string,
    decode: (bytes: Uint8Array | undefined) => Value,
  ): Promise<Value[]> {
    const values: Value[] = []
    for (let start = 0; start < names.length; start += recordsAtOnce) {
      if (start > 0) await this.#turn()
      const found = await this.#disk.getMany(names.slice(start, start + recordsAtOnce).map(keyOf))
      for (const bytes of found) values.push(decode(bytes))
    }
    return values
  }
}
