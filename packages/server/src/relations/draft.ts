import { Turns, turnForSlice } from '../turns.ts'
import type { Incarnations } from './incarnations.ts'
import { keys, partsOf, ranges } from './keys.ts'
import { type Operation, operationOf, userOperation } from './operations.ts'
import { decodeRelation, decodeUser, encodeRelation } from './record-codec.ts'
import { isTombstone, noRelation, noUser, type Relation, type UserRecord } from './records.ts'
import type { Sight } from './standing.ts'
import type { Commit, Lookers } from './store.ts'

/** What a draft needs of the disk. */
export interface Disk {
  getMany(keys: string[]): Promise<(Uint8Array | undefined)[]>
  entries(range: { gt: string; lt: string }): AsyncIterable<[string, Uint8Array]>
  keys(range: { gt: string; lt: string }): AsyncIterable<string>
}

/** A record that a batch writes or removes; of a user also what it says then. */
export interface Touched {
  key: string
  user?: () => UserRecord | undefined
}

/** A change concerns so much that all other commits would wait for it: it is to be derived outside their queue. */
export class TooLarge extends Error {
  constructor() {
    super('the change is too large to be derived while all others wait')
  }
}

/**
 * The next batch while it is being made: what is on disk, with what has been derived so far laid over it. Records are
 * loaded first and then changed synchronously; nothing is written until all of the group is derived, so a change that
 * fails half-way leaves nothing behind.
 */
export class Draft {
  readonly nowMs: number
  readonly incarnations: Incarnations
  #disk: Disk
  #users = new Map<string, Readonly<UserRecord>>()
  #relations = new Map<string, Relation>()
  #dirtyUsers = new Set<string>()
  #dirtyRelations = new Set<string>()
  #writes = new Map<string, Uint8Array | undefined>()
  /** What was read ahead of the records that are not derived from others. */
  #fetched = new Map<string, Uint8Array | undefined>()
  #recordsLeft: number

  /** Of more than `mostRecords` that are looked at, the next throws {@link TooLarge}. */
  constructor(disk: Disk, nowMs: number, incarnations: Incarnations, mostRecords: number = Number.POSITIVE_INFINITY) {
    this.#disk = disk
    this.nowMs = nowMs
    this.incarnations = incarnations
    this.#recordsLeft = mostRecords
  }

  #spend(records: number): void {
    this.#recordsLeft -= records
    if (this.#recordsLeft < 0) throw new TooLarge()
  }

  async loadUsers(ids: Iterable<string>): Promise<void> {
    for (const some of slicesOf(ids, sliceSize)) {
      const missing = [...new Set(some)].filter(id => !this.#users.has(id))
      this.#spend(missing.length)
      const records = await this.#readSlice(missing.map(keys.user), some.length === sliceSize)
      missing.forEach((id, index) => {
        const bytes = records[index]
        this.#users.set(id, bytes ? decodeUser(bytes) : noUser)
      })
    }
  }

  /** Both sides of each pair, with the users. */
  async loadPairs(user: string, others: Iterable<string>): Promise<void> {
    await this.loadUsers([user])
    for (const some of slicesOf(others, sliceSize / 2)) {
      await this.loadUsers(some)
      const wanted = some.flatMap(id => [keys.relation(user, id), keys.relation(id, user)])
      const missing = wanted.filter(key => !this.#relations.has(key))
      this.#spend(missing.length)
      const records = await this.#readSlice(missing, wanted.length === sliceSize)
      missing.forEach((key, index) => {
        const bytes = records[index]
        this.#relations.set(key, bytes ? decodeRelation(bytes) : noRelation)
      })
    }
  }

  /** Also where all is loaded already, a whole slice of names takes its time: then others have their turn [S3]. */
  async #readSlice(missing: string[], isWhole: boolean): Promise<(Uint8Array | undefined)[]> {
    if (isWhole) await turnForSlice()
    return missing.length === 0 ? [] : this.#disk.getMany(missing)
  }

  /**
   * Loads the relations of a user that a change can concern, both sides of each; gives the others' ids. All of the user's
   * are looked at, in slices, but what is not `isConcerned` is not kept.
   */
  async loadRelationsOf(
    user: string,
    isConcerned: (relation: Relation, other: string) => boolean = always,
  ): Promise<string[]> {
    const ids = new Set<string>()
    const turns = new Turns(sliceSize)
    for await (const [key, bytes] of this.#disk.entries(ranges.relations(user))) {
      this.#spend(1)
      if (turns.isOver()) await turns.pass()
      const other = partsOf(key)[2] as string
      if (!this.#dirtyRelations.has(key) && isConcerned(decodeRelation(bytes), other)) ids.add(other)
    }
    for (const key of this.#dirtyRelations) {
      if (turns.isOver()) await turns.pass()
      const [, a, b] = partsOf(key) as [string, string, string]
      if (a === user && isConcerned(this.relation(a, b), b)) ids.add(b)
    }
    await this.loadPairs(user, ids)
    return [...ids]
  }

  user(id: string): Readonly<UserRecord> {
    const user = this.#users.get(id)
    if (!user) throw new Error(`user ${JSON.stringify(id)} was not loaded`)
    return user
  }

  setUser(id: string, change: Partial<UserRecord>): void {
    this.#users.set(id, { ...this.user(id), ...change })
    this.#dirtyUsers.add(id)
  }

  relation(a: string, b: string): Relation {
    const relation = this.#relations.get(keys.relation(a, b))
    if (!relation) throw new Error(`relation of ${JSON.stringify(a)} to ${JSON.stringify(b)} was not loaded`)
    return relation
  }

  setRelation(a: string, b: string, change: Partial<Relation>): void {
    const key = keys.relation(a, b)
    this.#relations.set(key, { ...this.relation(a, b), ...change })
    this.#dirtyRelations.add(key)
  }

  /** A record that isn't derived from others; `undefined` removes it. */
  write(key: string, value: Uint8Array | undefined): void {
    this.#writes.set(key, value)
  }

  /** Reads at once what several changes of the batch will read: users, and other records by their keys. */
  async prefetch(users: readonly string[], others: readonly string[]): Promise<void> {
    await this.loadUsers(users)
    const values = await this.readMany([...others])
    for (const [index, key] of others.entries()) this.#fetched.set(key, values[index])
  }

  async read(key: string): Promise<Uint8Array | undefined> {
    return (await this.readMany([key]))[0]
  }

  async readMany(wanted: string[]): Promise<(Uint8Array | undefined)[]> {
    const found = new Map<string, Uint8Array | undefined>()
    const missing = wanted.filter(key => !this.#writes.has(key) && !this.#fetched.has(key))
    for (const some of slicesOf(missing, sliceSize)) {
      const values = await this.#disk.getMany(some)
      for (const [index, key] of some.entries()) found.set(key, values[index])
    }
    return wanted.map(key => {
      if (this.#writes.has(key)) return this.#writes.get(key)
      return this.#fetched.has(key) ? this.#fetched.get(key) : found.get(key)
    })
  }

  async removeRange(range: { gt: string; lt: string }): Promise<void> {
    const turns = new Turns(sliceSize)
    for await (const key of this.#disk.keys(range)) {
      this.#writes.set(key, undefined)
      if (turns.isOver()) await turns.pass()
    }
    for (const key of this.#writes.keys()) {
      if (key > range.gt && key < range.lt) this.#writes.set(key, undefined)
      if (turns.isOver()) await turns.pass()
    }
  }

  /** How many records it would write. */
  get size(): number {
    return this.#writes.size + this.#dirtyUsers.size + this.#dirtyRelations.size
  }

  isDirty(id: string): boolean {
    return this.#dirtyUsers.has(id)
  }

  /** The records that it would write. */
  *touched(): Iterable<Touched> {
    for (const key of this.#writes.keys()) yield { key }
    for (const id of this.#dirtyUsers) yield { key: keys.user(id), user: () => this.user(id) }
    for (const key of this.#dirtyRelations) yield { key }
  }

  /** What it would write, one after the other, so that a large batch can be encoded in slices. */
  *operations(): Iterable<Operation> {
    for (const [key, value] of this.#writes) yield operationOf(key, value)
    for (const id of this.#dirtyUsers) yield userOperation(id, this.user(id))
    for (const key of this.#dirtyRelations) {
      const relation = this.#relations.get(key) as Relation
      const isGone = isTombstone(relation) && relation.changedAt === 0
      yield operationOf(key, isGone ? undefined : encodeRelation(relation))
    }
  }
}

/** As many records as are read or decoded without a pause. */
const sliceSize = 250

const always = (): boolean => true

function* slicesOf<T>(all: Iterable<T>, size: number): Iterable<T[]> {
  let slice: T[] = []
  for (const one of all) {
    slice.push(one)
    if (slice.length < size) continue
    yield slice
    slice = []
  }
  if (slice.length > 0) yield slice
}

/** Collects what one change of the group did. */
export type CommitNotes = {
  -readonly [K in 'position' | 'isNew' | 'subjects']: Commit[K]
} & {
  /** Pairs, and how they stood before the change. */
  sights: Map<string, { viewer: string; owner: string; before: Sight }>
  pairs: { viewer: string; owner: string }[]
  standings: string[]
  strangers: Lookers[]
  hidings: string[]
  levels: Map<number, Uint8Array>
  retryAfterMs?: number
}
