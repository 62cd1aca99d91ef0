import type { Pair } from '../../relations/record-store.ts'
import { noRelation, type Relation, type UserRecord } from '../../relations/records.ts'
import { InOrder } from './in-order.ts'
import { keys, lastPartOf, ranges } from './keys.ts'
import type { LevelRecords } from './level-records.ts'
import type { PagedReads } from './paged-reads.ts'
import { decodeRelation } from './record-codec.ts'

type Entry = readonly [key: string, bytes: Uint8Array]

/** The number of users' records that are kept in memory. */
const mostUsersKept = 100_000
/** Users with more relations read the other side of them separately, many with each read. */
const fewRelations = 32
/** The number of relations that are kept in memory for the next users, in addition to those of one user. */
const mostAhead = 100_000
/** The number of records that are read together. */
const readAtOnce = 250
/** The number of reads at the same time. Each has a thread of its own, up to four. */
const readers = 4

/**
 * Reads ahead what a check needs of the next users, many records with each read. Most of these users have no account and are
 * named by a few others, and a read for each would take most of the time. Requests must come in the order of the keys.
 */
export class CheckAhead {
  readonly #disk: PagedReads
  readonly #records: LevelRecords
  readonly #inOrder: InOrder
  readonly #users = new Map<string, Readonly<UserRecord>>()
  /** The relations of the next users. */
  #relations = new Map<string, readonly Entry[]>()
  /** The other sides of these relations, by their keys. */
  #others = new Map<string, Uint8Array | undefined>()

  constructor(disk: PagedReads, records: LevelRecords) {
    this.#disk = disk
    this.#records = records
    this.#inOrder = new InOrder(disk, ranges.allRelations)
  }

  /** Reads what the check needs of these users, who are checked next. */
  async read(ids: readonly string[]): Promise<void> {
    if (this.#users.size > mostUsersKept) this.#users.clear()
    this.#relations = new Map()
    this.#others = new Map()
    await this.#readUsers(ids)
    const pairs: Pair[] = []
    let ahead = 0
    for (const id of ids) {
      // The others are read when it is their turn, in the same order.
      if (ahead > mostAhead) break
      const entries = await this.#inOrder.of(id)
      ahead += entries.length
      this.#relations.set(id, entries)
      if (entries.length <= fewRelations) pairs.push(...entries.map(([key]): Pair => ({ a: lastPartOf(key), b: id })))
    }
    await this.#readUsers(pairs.map(({ a }) => a))
    const wanted = pairs.map(({ a, b }) => keys.relation(a, b))
    for (let start = 0; start < wanted.length; start += readAtOnce * readers) {
      const parts = Array.from({ length: readers }, (_, part) => start + part * readAtOnce)
      await Promise.all(parts.map(from => this.#readOthers(wanted.slice(from, from + readAtOnce))))
    }
  }

  async #readOthers(wanted: string[]): Promise<void> {
    const found = await this.#disk.getMany(wanted)
    for (const [index, key] of wanted.entries()) this.#others.set(key, found[index])
  }

  /** A record that cannot be read is reported when its user is checked. */
  async #readUsers(ids: readonly string[]): Promise<void> {
    const missing = [...new Set(ids)].filter(id => !this.#users.has(id))
    const found = await this.#records.users(missing).catch(() => [])
    for (const [index, user] of found.entries()) this.#users.set(missing[index] as string, user)
  }

  async users(ids: readonly string[]): Promise<Readonly<UserRecord>[]> {
    const missing = ids.filter(id => !this.#users.has(id))
    const read = missing.length === 0 ? [] : await this.#records.users(missing)
    const found = new Map(missing.map((id, index) => [id, read[index] as UserRecord]))
    return ids.map(id => this.#users.get(id) ?? (found.get(id) as UserRecord))
  }

  async relationsOf(user: string): Promise<(readonly [string, Relation])[]> {
    const entries = this.#relations.get(user) ?? (await this.#inOrder.of(user))
    return entries.map(([key, bytes]) => [lastPartOf(key), decodeRelation(bytes)] as const)
  }

  relations(pairs: readonly Pair[]): Promise<Relation[]> {
    const names = pairs.map(({ a, b }) => keys.relation(a, b))
    if (!names.every(name => this.#others.has(name))) return this.#records.relations(pairs)
    return Promise.resolve(
      names.map(name => {
        const bytes = this.#others.get(name)
        return bytes ? decodeRelation(bytes) : noRelation
      }),
    )
  }
}
