import { othersTurn, type Turn, Turns, turnForSlice } from '../turns.ts'
import type { Commit, Lookers } from './commit.ts'
import type { EventRoom } from './event-room.ts'
import type { Incarnations } from './incarnations.ts'
import type { LevelEdit } from './level-edit.ts'
import type { EventType } from './outbox.ts'
import { OwnRecords } from './own-records.ts'
import { names, pairOf } from './record-names.ts'
import { bothSides, type Pair, type RecordNames, type Records, type RecordWrite, type Removal } from './record-store.ts'
import { isTombstone, keptUser, type Relation, type UserRecord } from './records.ts'
import type { Sight } from './standing.ts'
import { isNews } from './user-news.ts'

/** A record that a batch writes or removes, named as in `record-names.ts`. */
export interface Touched {
  name: string
  /** For a relation: the range that it is in. */
  range?: string
  /** For a user: the new content of the record. `isNews`: only its news changes. */
  user?: { id: string; record: Readonly<UserRecord>; isNews: boolean }
}

interface DraftOptions {
  mostRecords?: number
  isAwaited?: boolean
  room?: EventRoom | undefined
}

/** An event that has no time and no name yet. */
interface Told {
  type: EventType
  line: string
  other?: string
  /** The user whose change causes it, if that is not the subject of the commit. */
  by?: string
  data: Readonly<Record<string, unknown>>
}

/** A change affects so many records that all other commits would wait for it. It must be derived outside their queue. */
export class TooLarge extends Error {
  constructor() {
    super('the change is too large to be derived while all others wait')
  }
}

/**
 * The next batch while it is being made: the stored records, overlaid with what has been derived so far. Records are first
 * loaded and then changed synchronously. Nothing is written until the whole group is derived, so a change that fails half-way
 * leaves nothing behind.
 */
export class Draft {
  readonly nowMs: number
  readonly incarnations: Incarnations
  readonly #room: EventRoom | undefined
  /** The number of events that were written, by position. */
  readonly #eventCounts: Map<number, number> = new Map()
  /** The records that belong to one user alone. */
  readonly own: OwnRecords
  readonly #records: Records
  #users = new Map<string, Readonly<UserRecord>>()
  /** By name. */
  #relations = new Map<string, Relation>()
  /** By user: whether only the news of the record changes. */
  #dirtyUsers = new Map<string, boolean>()
  #dirtyRelations = new Set<string>()
  /** The same, by the user from whose side they are seen. Created on first use, since few changes need it. */
  #dirtyOf: Map<string, string[]> | undefined
  /** Called between two slices. Work for which all commits wait does not queue behind users' long work. */
  readonly turn: Turn
  #recordsLeft: number

  /**
   * Throws {@link TooLarge} when more than `mostRecords` records are examined. `isAwaited`: all commits wait until the draft is
   * derived. `room`: decides which events are written. Without it, none are written.
   */
  constructor(
    records: Records,
    nowMs: number,
    incarnations: Incarnations,
    { mostRecords = Number.POSITIVE_INFINITY, isAwaited = false, room }: DraftOptions = {},
  ) {
    this.#records = records
    this.own = new OwnRecords(records)
    this.nowMs = nowMs
    this.incarnations = incarnations
    this.#recordsLeft = mostRecords
    this.#room = room
    this.turn = isAwaited ? othersTurn : turnForSlice
  }

  /** Slices for work on this draft. */
  turns(stepsInTurn: number): Turns {
    return new Turns(stepsInTurn, this.turn)
  }

  #spend(records: number): void {
    this.#recordsLeft -= records
    if (this.#recordsLeft < 0) throw new TooLarge()
  }

  /**
   * Reads everything that the changes of a batch will read together: one call for each kind of record, all at the same time.
   */
  async load({ users, relations, ...own }: RecordNames): Promise<void> {
    await Promise.all([this.#loadUsers(users), this.#loadRelations(relations), this.own.load(own)])
  }

  async loadUsers(ids: Iterable<string>): Promise<void> {
    for (const some of slicesOf(ids, sliceSize)) {
      await this.#sliceTurn(some.length === sliceSize)
      await this.#loadUsers(some)
    }
  }

  async #loadUsers(ids: Iterable<string>): Promise<void> {
    const missing = [...new Set(ids)].filter(id => !this.#users.has(id))
    this.#spend(missing.length)
    if (missing.length === 0) return
    const records = await this.#records.users(missing)
    for (const [index, id] of missing.entries()) this.#users.set(id, records[index] as UserRecord)
  }

  async #loadRelations(pairs: Iterable<Pair>): Promise<void> {
    const missing = new Map<string, Pair>()
    for (const pair of pairs) {
      const name = names.relation(pair.a, pair.b)
      if (!this.#relations.has(name)) missing.set(name, pair)
    }
    this.#spend(missing.size)
    if (missing.size === 0) return
    const records = await this.#records.relations([...missing.values()])
    for (const [index, name] of [...missing.keys()].entries()) this.#relations.set(name, records[index] as Relation)
  }

  /**
   * Even if everything is loaded already, a whole slice of names takes time. After each slice, other work gets its turn [S3].
   */
  async #sliceTurn(isWhole: boolean): Promise<void> {
    if (isWhole) await this.turn()
  }

  /** Loads both sides of each pair, with the users. */
  async loadPairs(user: string, others: Iterable<string>): Promise<void> {
    await this.loadUsers([user])
    for (const some of slicesOf(others, sliceSize / 2)) {
      await this.loadUsers(some)
      const wanted = some.flatMap(id => bothSides(user, id))
      await this.#sliceTurn(wanted.length === sliceSize)
      await this.#loadRelations(wanted)
    }
  }

  /**
   * Loads the relations of a user that a change can affect, both sides of each. Returns the others' ids. All relations of the
   * user are examined, in slices, but those that are not `isConcerned` are not kept.
   */
  async loadRelationsOf(
    user: string,
    isConcerned: (relation: Relation, other: string) => boolean = always,
  ): Promise<string[]> {
    const ids = new Set<string>()
    const turns = this.turns(sliceSize)
    for await (const page of this.#records.relationsOf(user)) {
      for (const [other, relation] of page) {
        this.#spend(1)
        if (turns.isOver()) await turns.pass()
        if (!this.#dirtyRelations.has(names.relation(user, other)) && isConcerned(relation, other)) ids.add(other)
      }
    }
    for (const other of await this.#dirtyRelationsOf(user, turns)) {
      if (turns.isOver()) await turns.pass()
      if (isConcerned(this.relation(user, other), other)) ids.add(other)
    }
    await this.loadPairs(user, ids)
    return [...ids]
  }

  /** Writes an event for the app's backend, in the commit that causes it [D4]. */
  tell(notes: CommitNotes, { type, line, other, by = notes.subjects[0] ?? line, data }: Told): void {
    const outcome = this.#room?.take(by, this.nowMs) ?? 'nothing'
    if (!this.#room || outcome === 'nothing') return
    const index = this.#eventCounts.get(notes.position) ?? 0
    this.#eventCounts.set(notes.position, index + 1)
    const made = { atMs: this.nowMs, tag: this.#room.newTag() }
    const event = { type, line, ...(other !== undefined && { other }), data, ...made }
    const missed = { type: 'events.missed' as const, line: '', data: {}, ...made }
    this.own.writeEvent({ position: notes.position, index }, outcome === 'event' ? event : missed)
    notes.lines.add(outcome === 'event' ? line : '')
  }

  /** Whether the events of messages contain the text. */
  get tellsText(): boolean {
    return this.#room?.includesText === true
  }

  user(id: string): Readonly<UserRecord> {
    const user = this.#users.get(id)
    if (!user) throw new Error(`user ${JSON.stringify(id)} was not loaded`)
    return user
  }

  setUser(id: string, change: Partial<UserRecord>): void {
    this.#users.set(id, { ...this.user(id), ...change })
    this.#dirtyUsers.set(id, (this.#dirtyUsers.get(id) ?? true) && isNews(change))
  }

  relation(a: string, b: string): Relation {
    const relation = this.#relations.get(names.relation(a, b))
    if (!relation) throw new Error(`relation of ${JSON.stringify(a)} to ${JSON.stringify(b)} was not loaded`)
    return relation
  }

  setRelation(a: string, b: string, change: Partial<Relation>): void {
    const name = names.relation(a, b)
    this.#relations.set(name, { ...this.relation(a, b), ...change })
    if (this.#dirtyRelations.has(name)) return
    this.#dirtyRelations.add(name)
    if (this.#dirtyOf) addTo(this.#dirtyOf, a, b)
  }

  /**
   * Each registration in a batch calls this. Without the index, each would go through all writes of the batch, and a batch
   * would take ever longer.
   */
  async #dirtyRelationsOf(user: string, turns: Turns): Promise<readonly string[]> {
    if (!this.#dirtyOf) {
      const lists = new Map<string, string[]>()
      for (const name of this.#dirtyRelations) {
        const { a, b } = pairOf(name)
        addTo(lists, a, b)
        if (turns.isOver()) await turns.pass()
      }
      this.#dirtyOf = lists
    }
    return this.#dirtyOf.get(user) ?? []
  }

  /** The number of records that the batch would write, in addition to those that it removes. */
  get size(): number {
    return this.own.size + this.#dirtyUsers.size + this.#dirtyRelations.size
  }

  isDirty(id: string): boolean {
    return this.#dirtyUsers.has(id)
  }

  /** The write set: the records that the batch would write or remove. */
  *touched(): Iterable<Touched> {
    for (const name of this.own.touched()) yield { name }
    for (const [id, isNews] of this.#dirtyUsers) {
      yield { name: names.user(id), user: { id, record: this.user(id), isNews } }
    }
    for (const name of this.#dirtyRelations) yield { name, range: names.relations(pairOf(name).a) }
  }

  /** The removals that come before the writes. */
  removals(): Iterable<Removal> {
    return this.own.removals()
  }

  /** The writes, one after the other, so that a large batch can be encoded in slices. */
  *writes(): Iterable<RecordWrite> {
    yield* this.own.writes()
    for (const id of this.#dirtyUsers.keys()) yield { kind: 'user', id, user: keptUser(this.user(id)) }
    for (const name of this.#dirtyRelations) {
      const relation = this.#relations.get(name) as Relation
      const isGone = isTombstone(relation) && relation.changedAt === 0
      yield { kind: 'relation', pair: pairOf(name), relation: isGone ? undefined : relation }
    }
  }
}

/** The number of records that are read or decoded in one slice. */
const sliceSize = 100

const always = (): boolean => true

function addTo(lists: Map<string, string[]>, name: string, one: string): void {
  const known = lists.get(name)
  if (known) known.push(one)
  else lists.set(name, [one])
}

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

/** Collects the effects of one change of the group. */
export type CommitNotes = {
  -readonly [K in 'position' | 'isNew' | 'subjects']: Commit[K]
} & {
  /** Pairs, and their standing before the change. */
  sights: Map<string, { viewer: string; owner: string; before: Sight }>
  pairs: { viewer: string; owner: string }[]
  standings: string[]
  strangers: Lookers[]
  hidings: string[]
  lines: Set<string>
  levels: Map<number, Uint8Array>
  edits: LevelEdit[]
  narrowsMessages?: true
  isMissed?: true
  retryAfterMs?: number
}
