import type { Incarnations } from './incarnations.ts'
import { keys, partsOf, ranges } from './keys.ts'
import {
  decodeRelation,
  decodeUser,
  encodeRelation,
  encodeUser,
  isTombstone,
  newUser,
  noRelation,
  type Relation,
  type UserRecord,
} from './records.ts'
import type { Sight } from './standing.ts'
import type { Commit } from './store.ts'

/** What a draft needs of the disk. */
export interface Disk {
  getMany(keys: string[]): Promise<(Uint8Array | undefined)[]>
  entries(range: { gt: string; lt: string }): AsyncIterable<[string, Uint8Array]>
  keys(range: { gt: string; lt: string }): AsyncIterable<string>
}

export type Operation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

/**
 * The next batch while it is being made: what is on disk, with what has been derived so far laid over it. Records are
 * loaded first and then changed synchronously; nothing is written until all of the group is derived, so a change that
 * fails half-way leaves nothing behind.
 */
export class Draft {
  readonly nowMs: number
  readonly incarnations: Incarnations
  #disk: Disk
  #users = new Map<string, UserRecord>()
  #relations = new Map<string, Relation>()
  #dirtyUsers = new Set<string>()
  #dirtyRelations = new Set<string>()
  #writes = new Map<string, Uint8Array | undefined>()

  constructor(disk: Disk, nowMs: number, incarnations: Incarnations) {
    this.#disk = disk
    this.nowMs = nowMs
    this.incarnations = incarnations
  }

  async loadUsers(ids: Iterable<string>): Promise<void> {
    const missing = [...new Set(ids)].filter(id => !this.#users.has(id))
    const records = await this.#disk.getMany(missing.map(keys.user))
    missing.forEach((id, index) => {
      const bytes = records[index]
      this.#users.set(id, bytes ? decodeUser(bytes) : newUser())
    })
  }

  /** Both sides of each pair, with the users. */
  async loadPairs(user: string, others: Iterable<string>): Promise<void> {
    const ids = [...others]
    await this.loadUsers([user, ...ids])
    const missing = ids
      .flatMap(id => [keys.relation(user, id), keys.relation(id, user)])
      .filter(key => !this.#relations.has(key))
    const records = await this.#disk.getMany(missing)
    missing.forEach((key, index) => {
      const bytes = records[index]
      this.#relations.set(key, bytes ? decodeRelation(bytes) : noRelation)
    })
  }

  /** Loads all relations of a user, both sides of each; gives the others' ids. */
  async loadRelationsOf(user: string): Promise<string[]> {
    const ids = new Set<string>()
    for await (const key of this.#disk.keys(ranges.relations(user))) ids.add(partsOf(key)[2] as string)
    for (const key of this.#dirtyRelations) {
      const [, a, b] = partsOf(key) as [string, string, string]
      if (a === user) ids.add(b)
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

  async read(key: string): Promise<Uint8Array | undefined> {
    return this.#writes.has(key) ? this.#writes.get(key) : (await this.#disk.getMany([key]))[0]
  }

  async readMany(wanted: string[]): Promise<(Uint8Array | undefined)[]> {
    const stored = await this.#disk.getMany(wanted)
    return wanted.map((key, index) => (this.#writes.has(key) ? this.#writes.get(key) : stored[index]))
  }

  async removeRange(range: { gt: string; lt: string }): Promise<void> {
    for await (const key of this.#disk.keys(range)) this.#writes.set(key, undefined)
    for (const key of this.#writes.keys()) if (key > range.gt && key < range.lt) this.#writes.set(key, undefined)
  }

  /** A registered user's record is kept, also one that only waits, follows or spends; else it goes. */
  operations(): Operation[] {
    const operations: Operation[] = []
    const add = (key: string, value: Uint8Array | undefined): void => {
      operations.push(value ? { type: 'put', key, value } : { type: 'del', key })
    }
    for (const [key, value] of this.#writes) add(key, value)
    for (const id of this.#dirtyUsers) {
      const user = this.user(id)
      add(keys.user(id), isBlank(user) ? undefined : encodeUser(user))
    }
    for (const key of this.#dirtyRelations) {
      const relation = this.#relations.get(key) as Relation
      const isGone = isTombstone(relation) && relation.changedAt === 0
      add(key, isGone ? undefined : encodeRelation(relation))
    }
    return operations
  }
}

function isBlank(user: UserRecord): boolean {
  return JSON.stringify(user) === JSON.stringify(newUser())
}

/** Collects what one change of the group did. */
export type CommitNotes = {
  -readonly [K in 'position' | 'isNew' | 'subjects']: Commit[K]
} & {
  /** viewer → owner → how they stood before the change. */
  sights: Map<string, Map<string, Sight>>
  pairs: { viewer: string; owner: string }[]
  standings: string[]
  strangers: { owner: string; related: ReadonlySet<string> }[]
  hidings: string[]
  levels: Map<number, Uint8Array>
  retryAfterMs?: number
}
