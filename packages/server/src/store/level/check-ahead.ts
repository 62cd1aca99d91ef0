import type { Pair } from '../../relations/record-store.ts'
import { noRelation, noUser, type Relation, type UserRecord } from '../../relations/records.ts'
import { InOrder, inKeyOrder } from './in-order.ts'
import { keys, lastPartOf, ranges } from './keys.ts'
import { LevelRecords } from './level-records.ts'
import type { PagedReads } from './paged-reads.ts'
import { relationsDecoder } from './record-codec.ts'

type Entry = readonly [key: string, bytes: Uint8Array]

/** The number of users that are read together. */
const usersAhead = 250
/** The number of users' records that are kept in memory. */
const mostUsersKept = 100_000
/** Users with more relations read the other side of them separately, many with each read. */
const fewRelations = 32
/** The number of relations that are kept in memory for the next users, in addition to those of one user. */
const mostAhead = 100_000
/** The number of relations that are kept in memory until their other side is checked: 100 MB at most. */
const mostWaiting = 200_000
/** The number of records that are read together. */
const readAtOnce = 250
/** The number of reads at the same time. Each has a thread of its own, up to four. */
const readers = 4

/** What a check needs of users who follow each other in the order of the keys. */
interface Part {
  /** The relations of each of these users. */
  readonly relations: Map<string, readonly Entry[]>
  /** The other sides of these relations, by their keys. */
  readonly others: Map<string, Uint8Array | undefined>
  readonly decode: (bytes: Uint8Array) => Relation
}

const emptyPart = (): Part => ({ relations: new Map(), others: new Map(), decode: relationsDecoder() })

/**
 * Reads ahead what a check needs of the next users, many records with each read. Most of these users have no account and are
 * named by a few others, and a read for each would take most of the time. Requests must come in the order of the keys.
 */
export class CheckAhead {
  readonly #disk: PagedReads
  readonly #records: LevelRecords
  readonly #inOrder: InOrder
  readonly #recorded: ReadonlySet<string>
  readonly #accounts: readonly string[]
  #account = 0
  readonly #users = new Map<string, Readonly<UserRecord>>()
  /** Relations with users who are checked later, by their keys. Each is the other side of one of theirs. */
  readonly #waiting = new Map<string, Uint8Array>()
  #part: Part = emptyPart()
  #next: Promise<Part> | undefined

  /**
   * `recorded`: the users who have a record of their own. `accounts`: these, and the other users who have a document or a level,
   * in the order of the keys.
   */
  constructor(disk: PagedReads, recorded: ReadonlySet<string>, accounts: readonly string[]) {
    this.#disk = disk
    this.#records = new LevelRecords(disk)
    this.#inOrder = new InOrder(disk, ranges.allRelations)
    this.#recorded = recorded
    this.#accounts = accounts
  }

  /** Returns the users who are checked next, none at the end. The users after them are read meanwhile. */
  async next(): Promise<string[]> {
    this.#part = await (this.#next ?? this.#read())
    const ids = [...this.#part.relations.keys()]
    if (ids.length === 0) return ids
    this.#next = this.#read()
    // The next call throws the error.
    this.#next.catch(() => undefined)
    return ids
  }

  async #read(): Promise<Part> {
    if (this.#users.size > mostUsersKept) this.#users.clear()
    const part = emptyPart()
    const [wanted, others]: [string[], Set<string>] = [[], new Set()]
    let ahead = 0
    while (part.relations.size < usersAhead && ahead <= mostAhead) {
      const id = await this.#nextId()
      if (id === undefined) break
      const entries = await this.#inOrder.of(id)
      ahead += entries.length
      part.relations.set(id, entries)
      for (const [key, bytes] of entries) {
        const other = lastPartOf(key)
        const isLater = inKeyOrder(other, id) > 0
        if (isLater && this.#waiting.size < mostWaiting) this.#waiting.set(key, bytes)
        if (entries.length > fewRelations) continue
        others.add(other)
        const mirror = keys.relation(other, id)
        if (!this.#waiting.has(mirror)) wanted.push(mirror)
      }
    }
    await this.#readUsers([...part.relations.keys(), ...others])
    for (let start = 0; start < wanted.length; start += readAtOnce * readers) {
      const starts = Array.from({ length: readers }, (_, reader) => start + reader * readAtOnce)
      await Promise.all(starts.map(from => this.#readOthers(part, wanted.slice(from, from + readAtOnce))))
    }
    return part
  }

  /** Users with an account, and users whom others name, in the order of the keys. */
  async #nextId(): Promise<string | undefined> {
    const account = this.#accounts[this.#account]
    const named = await this.#inOrder.nextOwner()
    if (account === undefined || (named !== undefined && inKeyOrder(named, account) < 0)) return named
    this.#account++
    return account
  }

  async #readOthers({ others }: Part, wanted: string[]): Promise<void> {
    const found = await this.#disk.getMany(wanted)
    for (const [index, key] of wanted.entries()) others.set(key, found[index])
  }

  /** A record that cannot be read is reported when its user is checked. */
  async #readUsers(ids: readonly string[]): Promise<void> {
    const missing = [...new Set(ids)].filter(id => this.#recorded.has(id) && !this.#users.has(id))
    const found = await this.#records.users(missing).catch(() => [])
    for (const [index, user] of found.entries()) this.#users.set(missing[index] as string, user)
  }

  async users(ids: readonly string[]): Promise<Readonly<UserRecord>[]> {
    const missing = ids.filter(id => this.#recorded.has(id) && !this.#users.has(id))
    const read = missing.length === 0 ? [] : await this.#records.users(missing)
    const found = new Map(missing.map((id, index) => [id, read[index] as UserRecord]))
    return ids.map(id => this.#users.get(id) ?? found.get(id) ?? noUser)
  }

  relationsOf(user: string): (readonly [string, Relation])[] {
    const { relations, decode } = this.#part
    return (relations.get(user) ?? []).map(([key, bytes]) => [lastPartOf(key), decode(bytes)] as const)
  }

  async relations(pairs: readonly Pair[]): Promise<Relation[]> {
    const found = pairs.map(({ a, b }) => this.#take(keys.relation(a, b)))
    const missing = pairs.filter((_, index) => found[index] === undefined)
    const read = missing.length > 0 ? (await this.#records.relations(missing)).values() : undefined
    return found.map(relation => relation ?? (read?.next().value as Relation))
  }

  /** Returns `undefined` for a relation that was not read ahead. */
  #take(key: string): Relation | undefined {
    const { others, decode } = this.#part
    const waiting = this.#waiting.get(key)
    if (waiting) {
      this.#waiting.delete(key)
      return decode(waiting)
    }
    const bytes = others.get(key)
    if (bytes) return decode(bytes)
    return others.has(key) ? noRelation : undefined
  }
}
