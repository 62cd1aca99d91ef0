import type { Mirror, Uncompared } from '../../relations/check/checked-store.ts'
import { noRelation, noUser, type Relation, type UserRecord } from '../../relations/records.ts'
import { type StoredRelation, WaitingRelations } from './check-waiting.ts'
import { InOrder, inKeyOrder } from './in-order.ts'
import { keys, lastPartOf, ranges } from './keys.ts'
import { LevelRecords } from './level-records.ts'
import type { PagedReads } from './paged-reads.ts'
import { decodeRelation, relationsDecoder } from './record-codec.ts'

/** The number of users that are read together. */
const usersAhead = 250
/** The number of users' records that are kept in memory. */
const mostUsersKept = 100_000
/** Users with more relations read other sides that do not wait separately, many with each read. */
const fewRelations = 32
/** The number of relations that are kept in memory for the next users, in addition to those of one user. */
const mostAhead = 100_000
/** The number of records that are read together. */
const readAtOnce = 250
/** The number of reads at the same time. Each has a thread of its own, up to four. */
const readers = 4

/** The relations of one user. */
interface Ahead {
  readonly entries: readonly (readonly [other: string, bytes: Uint8Array])[]
  /** The other sides of relations with users who were read before, by these users. Those that were compared are removed. */
  readonly earlier: Map<string, Uint8Array>
  /** The other sides that are read separately, by the other users. `undefined` until they are read. */
  readonly separate: Map<string, { bytes: Uint8Array | undefined } | undefined>
}

/** What a check needs of users who follow each other in the order of the keys. */
interface Part {
  readonly users: Map<string, Ahead>
  readonly decode: (bytes: Uint8Array) => Relation
}

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
  readonly #waiting: WaitingRelations
  #uncompared: Uncompared[] = []
  #part: Part = { users: new Map(), decode: relationsDecoder() }
  #next: Promise<Part> | undefined

  /**
   * `recorded`: the users who have a record of their own. `accounts`: these, and the other users who have a document or a level,
   * in the order of the keys. `mostWaiting`: the number of relations that are kept until their other side is read.
   */
  constructor(disk: PagedReads, recorded: ReadonlySet<string>, accounts: readonly string[], mostWaiting: number) {
    this.#disk = disk
    this.#records = new LevelRecords(disk)
    this.#inOrder = new InOrder(disk, ranges.allRelations)
    this.#recorded = recorded
    this.#waiting = new WaitingRelations(mostWaiting)
    this.#accounts = accounts
  }

  /** Returns the users who are checked next, none at the end. The users after them are read meanwhile. */
  async next(): Promise<string[]> {
    const next = await (this.#next ?? this.#read())
    this.#leave(this.#part)
    this.#part = next
    const ids = [...this.#part.users.keys()]
    if (ids.length === 0) return ids
    this.#next = this.#read()
    // The next call throws the error.
    this.#next.catch(() => undefined)
    return ids
  }

  async #read(): Promise<Part> {
    if (this.#users.size > mostUsersKept) this.#users.clear()
    const users = new Map<string, Ahead>()
    const named = new Set<string>()
    let relations = 0
    while (users.size < usersAhead && relations <= mostAhead) {
      const id = await this.#nextId()
      if (id === undefined) break
      const entries = (await this.#inOrder.of(id)).map(([key, bytes]) => [lastPartOf(key), bytes] as const)
      const earlier = this.#waiting.take(id)
      const separate = this.#separate(id, entries, earlier)
      users.set(id, { entries, earlier, separate })
      relations += entries.length
      named.add(id)
      if (entries.length <= fewRelations) for (const [other] of entries) named.add(other)
    }
    await this.#readUsers(named)
    await this.#readSeparate(users)
    return { users, decode: relationsDecoder() }
  }

  /** Each pair is compared when the later of both users is checked, as long as there is room for what waits until then. */
  #separate(user: string, entries: Ahead['entries'], earlier: Ahead['earlier']): Ahead['separate'] {
    const separate: Ahead['separate'] = new Map()
    for (const [other, bytes] of entries) {
      if (earlier.has(other)) continue
      if (inKeyOrder(other, user) <= 0 || !this.#waiting.add({ user, other, bytes })) separate.set(other, undefined)
    }
    return separate
  }

  /** Users with an account, and users whom others name, in the order of the keys. */
  async #nextId(): Promise<string | undefined> {
    const account = this.#accounts[this.#account]
    const named = await this.#inOrder.nextOwner()
    if (account === undefined || (named !== undefined && inKeyOrder(named, account) < 0)) return named
    this.#account++
    return account
  }

  async #readSeparate(users: ReadonlyMap<string, Ahead>): Promise<void> {
    const wanted: [user: string, other: string, Ahead['separate']][] = []
    for (const [user, { entries, separate }] of users) {
      if (entries.length <= fewRelations) for (const other of separate.keys()) wanted.push([user, other, separate])
    }
    for (let start = 0; start < wanted.length; start += readAtOnce * readers) {
      const starts = Array.from({ length: readers }, (_, reader) => start + reader * readAtOnce)
      await Promise.all(
        starts.map(async from => {
          const pairs = wanted.slice(from, from + readAtOnce)
          const found = await this.#disk.getMany(pairs.map(([user, other]) => keys.relation(other, user)))
          for (const [index, [, other, separate]] of pairs.entries()) separate.set(other, { bytes: found[index] })
        }),
      )
    }
  }

  /** A record that cannot be read is reported when its user is checked. */
  async #readUsers(ids: ReadonlySet<string>): Promise<void> {
    const missing = [...ids].filter(id => this.#recorded.has(id) && !this.#users.has(id))
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
    const { users, decode } = this.#part
    return (users.get(user)?.entries ?? []).map(([other, bytes]) => [other, decode(bytes)] as const)
  }

  async mirrors(user: string, others: readonly string[]): Promise<(Mirror | undefined)[]> {
    const { users, decode } = this.#part
    const { earlier, separate } = users.get(user) as Ahead
    const missing = others.filter(other => separate.has(other) && !separate.get(other))
    if (missing.length > 0) {
      const found = await this.#disk.getMany(missing.map(other => keys.relation(other, user)))
      for (const [index, other] of missing.entries()) separate.set(other, { bytes: found[index] })
    }
    return others.map(other => {
      const waited = earlier.get(other)
      earlier.delete(other)
      const bytes = waited ?? separate.get(other)?.bytes
      if (bytes === undefined && !separate.has(other)) return undefined
      const relation = bytes ? readable(bytes, decode) : noRelation
      return relation && { relation, isForBoth: waited !== undefined }
    })
  }

  uncompared(): Uncompared[] {
    const isAtEnd = this.#part.users.size === 0
    if (isAtEnd) for (const one of this.#waiting.takeAll()) this.#keep(one, undefined)
    const found = this.#uncompared
    this.#uncompared = []
    return found
  }

  /** Keeps what the checks of these users have not compared. */
  #leave({ users }: Part): void {
    for (const [user, { entries, earlier }] of users) {
      if (earlier.size === 0) continue
      const mirrors = new Map(entries)
      for (const [other, bytes] of earlier) this.#keep({ user: other, other: user, bytes }, mirrors.get(other))
    }
  }

  #keep({ user, other, bytes }: StoredRelation, stored: Uint8Array | undefined): void {
    const relation = readable(bytes, decodeRelation)
    const mirror = stored ? readable(stored, decodeRelation) : noRelation
    if (relation && mirror) this.#uncompared.push({ user, other, relation, mirror })
  }
}

/** Returns nothing for a relation that cannot be read: it is reported with its user. */
function readable(bytes: Uint8Array, decode: (bytes: Uint8Array) => Relation): Relation | undefined {
  try {
    return decode(bytes)
  } catch {
    return undefined
  }
}
