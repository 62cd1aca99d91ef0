import {
  type Draft,
  type EventName,
  type LevelRecord,
  newUser,
  nextRevocation,
  noRelation,
  operationOf,
  provisional,
  type RecordWrite,
  type Relation,
  type StoredEvent,
  type UserRecord,
  usersOf,
} from '../../support/server-internals.ts'

interface Part {
  position: number
  bytes: Uint8Array
  isSnapshot: boolean
}

/** Data that outlives an account. */
interface Revocation {
  atMs: number
  position: number
}

/** Where a batch is inserted: after `head`, up to `last`. */
interface Applied {
  head: number
  last: number
  /** By the clock of the database. */
  nowMs: number
  /** For a change that was derived beside the queue: the news of all other users stay. */
  subjects: ReadonlySet<string> | undefined
}

const nameOf = ({ position, index }: EventName): string => join(position, index)

const join = (...parts: (string | number)[]): string => parts.join('\u0000')

/**
 * The records of a database that several nodes share. Nothing in it is changed in place, so a copy of the maps is a snapshot.
 */
export class SharedState {
  readonly users = new Map<string, Readonly<UserRecord>>()
  readonly #relations = new Map<string, Relation>()
  readonly #levels = new Map<string, LevelRecord>()
  readonly #asked = new Set<string>()
  readonly #documents = new Map<string, readonly Part[]>()
  readonly #erasures = new Map<string, number>()
  readonly #revocations = new Map<string, Revocation>()
  readonly #events = new Map<string, StoredEvent>()

  user(id: string): Readonly<UserRecord> {
    return this.users.get(id) ?? newUser()
  }

  relation(a: string, b: string): Relation {
    return this.#relations.get(join(a, b)) ?? noRelation
  }

  /** In the order of the other users' ids. */
  relationsOf(a: string): [other: string, relation: Relation][] {
    const own = [...this.#relations].flatMap(([name, relation]): [string, Relation][] =>
      name.startsWith(join(a, '')) ? [[name.slice(a.length + 1), relation]] : [],
    )
    return own.sort(([one], [other]) => (one < other ? -1 : 1))
  }

  level(owner: string, level: number): LevelRecord | undefined {
    return this.#levels.get(join(owner, level))
  }

  levelsOf(owner: string): [level: number, record: LevelRecord][] {
    const own = [...this.#levels].filter(([name]) => name.startsWith(join(owner, '')))
    return own.map(([name, record]): [number, LevelRecord] => [Number(name.slice(owner.length + 1)), record]).sort()
  }

  hasAsked(viewer: string, id: string): boolean {
    return this.#asked.has(join(viewer, id))
  }

  document(user: string, document: string): readonly Part[] {
    return this.#documents.get(join(user, document)) ?? []
  }

  erasures(id: string): number {
    return this.#erasures.get(id) ?? 0
  }

  /** In order. */
  events(): StoredEvent[] {
    const rank = ({ name: { position, index } }: StoredEvent): number => position * 1_000_000 + index
    return [...this.#events.values()].sort((a, b) => rank(a) - rank(b))
  }

  event(name: EventName): StoredEvent | undefined {
    return this.#events.get(nameOf(name))
  }

  revocation(id: string): Revocation {
    return this.#revocations.get(id) ?? { atMs: 0, position: 0 }
  }

  /** Applies a batch. */
  apply(draft: Draft, at: Applied): void {
    for (const removal of draft.removals()) {
      if (removal.kind === 'document') this.#documents.delete(join(removal.user, removal.document))
      else if (removal.kind === 'levels') removeFrom(this.#levels, removal.owner)
      else if (removal.kind === 'asked') removeFrom(this.#asked, removal.viewer)
      else
        for (const one of this.events())
          if (usersOf(one.event).includes(removal.about)) this.#events.delete(nameOf(one.name))
    }
    for (const write of draft.writes()) this.#write(write, position => finalPosition(position, at.head), at)
  }

  #write(write: RecordWrite, final: (position: number) => number, { last, nowMs, subjects }: Applied): void {
    switch (write.kind) {
      case 'user': {
        const { user, id } = write
        if (!user) return void this.users.delete(id)
        const levels = Object.fromEntries(Object.entries(user.levels).map(([level, at]) => [level, final(at)]))
        const registeredAt = final(user.registeredAt)
        const stored = subjects?.has(id) === false ? this.users.get(id) : undefined
        const kept = stored && {
          levels: stored.levels,
          lastSeenMinute: stored.lastSeenMinute,
        }
        return void this.users.set(id, { ...user, registeredAt, levels, ...kept })
      }
      case 'event': {
        const { event } = write
        const name = { ...write.name, position: final(write.name.position) }
        if (!event) return void this.#events.delete(nameOf(name))
        return void this.#events.set(nameOf(name), { name, event })
      }
      case 'relation': {
        const { pair, relation } = write
        const name = join(pair.a, pair.b)
        if (!relation) return void this.#relations.delete(name)
        const [changedAt, joinedAt] = [final(relation.changedAt), final(relation.joinedAt)]
        return void this.#relations.set(name, { ...relation, changedAt, joinedAt })
      }
      case 'level': {
        const { owner, level } = write.name
        return void this.#levels.set(join(owner, level), { ...write.record, position: final(write.record.position) })
      }
      case 'asked':
        return void this.#asked.add(join(write.lookup.viewer, write.lookup.id))
      case 'erasures':
        return void this.#erasures.set(write.id, write.count)
      case 'revocation':
        return void this.#revocations.set(write.id, {
          atMs: nextRevocation(this.revocation(write.id).atMs, nowMs),
          position: last,
        })
      case 'update':
        return this.#addPart(write, { position: final(write.position), bytes: write.update, isSnapshot: false })
      case 'snapshot':
        return this.#addPart(write, { position: final(write.position), bytes: write.snapshot, isSnapshot: true })
      // The log names the user whose profile changed.
      case 'change':
        return
    }
  }

  #addPart({ user, document }: { user: string; document: string }, part: Part): void {
    this.#documents.set(join(user, document), [...this.document(user, document), part])
  }

  copy(): SharedState {
    const copy = new SharedState()
    copy.become(this)
    return copy
  }

  /** Becomes equal to another state. */
  become(other: SharedState): void {
    replace(this.users, other.users)
    replace(this.#relations, other.#relations)
    replace(this.#levels, other.#levels)
    this.#asked.clear()
    for (const name of other.#asked) this.#asked.add(name)
    replace(this.#documents, other.#documents)
    replace(this.#events, other.#events)
    replace(this.#erasures, other.#erasures)
    replace(this.#revocations, other.#revocations)
  }

  /** All records, as a Level database has them. */
  *operations(): Iterable<ReturnType<typeof operationOf>> {
    for (const [id, user] of this.users) yield operationOf({ kind: 'user', id, user })
    for (const [name, relation] of this.#relations) {
      const [a, b] = name.split('\u0000') as [string, string]
      yield operationOf({ kind: 'relation', pair: { a, b }, relation })
    }
    for (const [name, record] of this.#levels) {
      const [owner, level] = name.split('\u0000') as [string, string]
      yield operationOf({ kind: 'level', name: { owner, level: Number(level) }, record })
    }
    for (const [name, parts] of this.#documents) {
      const [user, document] = name.split('\u0000') as [string, 'roster' | 'profile']
      for (const { position, bytes, isSnapshot } of parts) {
        yield isSnapshot
          ? operationOf({ kind: 'snapshot', user, document, position, snapshot: bytes })
          : operationOf({ kind: 'update', user, document, position, update: bytes })
      }
    }
    for (const [id, count] of this.#erasures) yield operationOf({ kind: 'erasures', id, count })
  }
}

function finalPosition(position: number, head: number): number {
  return position >= provisional ? position - provisional + head : position
}

function removeFrom(names: Map<string, unknown> | Set<string>, user: string): void {
  for (const name of [...names.keys()]) if (name.startsWith(join(user, ''))) names.delete(name)
}

function replace<Value>(to: Map<string, Value>, from: ReadonlyMap<string, Value>): void {
  to.clear()
  for (const [name, value] of from) to.set(name, value)
}
