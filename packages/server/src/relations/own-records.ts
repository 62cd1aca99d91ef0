import { Family } from './family.ts'
import { type EventName, type OutboxEvent, usersOf } from './outbox.ts'
import { names } from './record-names.ts'
import type { Lookup, RecordNames, Records, RecordWrite, Removal } from './record-store.ts'
import type { DocumentName, LevelName, LevelRecord } from './records.ts'

/** The number of records that are read together. */
const sliceSize = 250

/** A part of a document, and the position of the commit that wrote it. */
interface Part {
  position: number
  bytes: Uint8Array
}

/** The result of a batch for an event of the outbox. */
interface WrittenEvent {
  name: EventName
  event: OutboxEvent | undefined
  before?: OutboxEvent | undefined
}

/**
 * The records that belong to one user alone: documents, levels, ids that were looked up, how often the account was erased, when
 * its tokens were revoked, and events of the outbox. A batch reads what is stored, overlaid with what the batch has written so
 * far.
 */
export class OwnRecords {
  readonly #records: Records
  readonly #levels: Family<number, LevelRecord> = new Family()
  readonly #asked: Family<string, number> = new Family()
  readonly #documents: Readonly<Record<DocumentName, Family<number | 'snapshot', Part>>> = {
    roster: new Family(),
    profile: new Family(),
  }
  readonly #erasures: Map<string, number> = new Map()
  readonly #revocations: Set<string> = new Set()
  readonly #changes: Map<number, string> = new Map()
  readonly #events: Map<string, WrittenEvent> = new Map()
  /** All events that concern these users are removed. */
  readonly #eventsRemoved: Set<string> = new Set()
  /** The records that were read ahead, by name. */
  readonly #askedAhead: Map<string, boolean> = new Map()
  readonly #levelsAhead: Map<string, LevelRecord | undefined> = new Map()
  readonly #erasuresAhead: Map<string, number> = new Map()

  constructor(records: Records) {
    this.#records = records
  }

  /** Reads ahead everything that the changes of a batch will read: one call for each kind of record, all at the same time. */
  async load({ levels, asked, erasures }: Pick<RecordNames, 'levels' | 'asked' | 'erasures'>): Promise<void> {
    await Promise.all([
      readInto(this.#levelsAhead, levels, nameOfLevel, some => this.#records.levels(some)),
      readInto(this.#askedAhead, asked, nameOf, some => this.#records.hasAsked(some)),
      readInto(
        this.#erasuresAhead,
        erasures,
        id => id,
        some => this.#records.erasures(some),
      ),
    ])
  }

  /** Returns those of the ids that the user has looked up. */
  async asked(viewer: string, ids: readonly string[]): Promise<Set<string>> {
    const asked = new Set<string>()
    const missing: Lookup[] = []
    for (const id of ids) {
      const known = this.#knownAsked({ viewer, id })
      if (known) asked.add(id)
      else if (known === undefined) missing.push({ viewer, id })
    }
    for (let start = 0; start < missing.length; start += sliceSize) {
      const some = missing.slice(start, start + sliceSize)
      const found = await this.#records.hasAsked(some)
      for (const [index, { id }] of some.entries()) if (found[index]) asked.add(id)
    }
    return asked
  }

  #knownAsked(lookup: Lookup): boolean | undefined {
    const written = this.#asked.find(lookup.viewer, lookup.id)
    return written ? written.value !== undefined : this.#askedAhead.get(nameOf(lookup))
  }

  noteAsked({ viewer, id }: Lookup, atMs: number): void {
    this.#asked.write(viewer, id, atMs)
  }

  removeAsked(viewer: string): void {
    this.#asked.clear(viewer)
  }

  async level(owner: string, level: number): Promise<LevelRecord | undefined> {
    const written = this.#levels.find(owner, level)
    if (written) return written.value
    const name = nameOfLevel({ owner, level })
    if (this.#levelsAhead.has(name)) return this.#levelsAhead.get(name)
    return (await this.#records.levels([{ owner, level }]))[0]
  }

  writeLevel(owner: string, level: number, record: LevelRecord): void {
    this.#levels.write(owner, level, record)
  }

  removeLevels(owner: string): void {
    this.#levels.clear(owner)
  }

  writeUpdate(user: string, document: DocumentName, position: number, update: Uint8Array): void {
    this.#documents[document].write(user, position, { position, bytes: update })
  }

  /** Writes a snapshot, which replaces all updates before it. */
  writeSnapshot(user: string, document: DocumentName, position: number, snapshot: Uint8Array): void {
    this.#documents[document].clear(user)
    this.#documents[document].write(user, 'snapshot', { position, bytes: snapshot })
  }

  removeDocument(user: string, document: DocumentName): void {
    this.#documents[document].clear(user)
  }

  async erasures(id: string): Promise<number> {
    const known = this.#erasures.get(id) ?? this.#erasuresAhead.get(id)
    return known ?? ((await this.#records.erasures([id]))[0] as number)
  }

  writeErasures(id: string, count: number): void {
    this.#erasures.set(id, count)
  }

  writeRevocation(id: string): void {
    this.#revocations.add(id)
  }

  /** The user's profile changed at this position. */
  noteChange(position: number, user: string): void {
    this.#changes.set(position, user)
  }

  /** Writes an event, or changes one that is stored, as it was `before`; `undefined` removes it. */
  writeEvent(name: EventName, event: OutboxEvent | undefined, before?: OutboxEvent): void {
    this.#events.set(nameOfEvent(name), { name, event, before })
  }

  /** Returns the events after the batch, without those that are gone. */
  async events(wanted: readonly EventName[]): Promise<{ name: EventName; event: OutboxEvent }[]> {
    const stored = await this.#records.events(wanted.filter(name => !this.#events.has(nameOfEvent(name))))
    const left = stored.filter(({ event }) => !usersOf(event).some(user => this.#eventsRemoved.has(user)))
    const written = wanted.flatMap(name => {
      const event = this.#events.get(nameOfEvent(name))?.event
      return event ? [{ name, event }] : []
    })
    return [...left, ...written]
  }

  /** Removes all events that concern a user: the stored ones, and those that the batch wrote before. */
  removeEvents(user: string): void {
    for (const [key, { event }] of this.#events) if (event && usersOf(event).includes(user)) this.#events.delete(key)
    this.#eventsRemoved.add(user)
  }

  /** The number of records that are written. */
  get size(): number {
    const { roster, profile } = this.#documents
    const inFamilies = this.#levels.size + this.#asked.size + roster.size + profile.size
    return inFamilies + this.#erasures.size + this.#revocations.size + this.#changes.size + this.#events.size
  }

  /** The names of the records that are written or removed. */
  *touched(): Iterable<string> {
    for (const owner of this.#levels.users()) yield names.levels(owner)
    for (const viewer of this.#asked.users()) yield names.asked(viewer)
    for (const user of this.#documents.roster.users()) yield names.document(user, 'roster')
    for (const user of this.#documents.profile.users()) yield names.document(user, 'profile')
    for (const id of this.#erasures.keys()) yield names.erasures(id)
    for (const id of this.#revocations) yield names.revocation(id)
    for (const user of this.#eventsRemoved) yield names.events(user)
    for (const { event, before } of this.#events.values()) {
      for (const one of [event, before]) if (one) for (const user of usersOf(one)) yield names.events(user)
    }
  }

  /** The removals that come before all writes. */
  *removals(): Iterable<Removal> {
    for (const owner of this.#levels.cleared()) yield { kind: 'levels', owner }
    for (const viewer of this.#asked.cleared()) yield { kind: 'asked', viewer }
    for (const document of documents) {
      for (const user of this.#documents[document].cleared()) yield { kind: 'document', user, document }
    }
    for (const about of this.#eventsRemoved) yield { kind: 'events', about }
  }

  *writes(): Iterable<RecordWrite> {
    for (const [owner, level, record] of this.#levels.written()) yield { kind: 'level', name: { owner, level }, record }
    for (const [viewer, id, atMs] of this.#asked.written()) yield { kind: 'asked', lookup: { viewer, id }, atMs }
    for (const document of documents) {
      for (const [user, part, { position, bytes }] of this.#documents[document].written()) {
        if (part === 'snapshot') yield { kind: 'snapshot', user, document, position, snapshot: bytes }
        else yield { kind: 'update', user, document, position, update: bytes }
      }
    }
    for (const [id, count] of this.#erasures) yield { kind: 'erasures', id, count }
    for (const id of this.#revocations) yield { kind: 'revocation', id }
    for (const one of this.#events.values()) yield { kind: 'event', ...one }
    for (const [position, user] of this.#changes) yield { kind: 'change', position, user }
  }
}

const documents: readonly DocumentName[] = ['roster', 'profile']

function nameOfLevel({ owner, level }: LevelName): string {
  return `${owner}\u0000${level}`
}

function nameOfEvent({ position, index }: EventName): string {
  return `${position} ${index}`
}

function nameOf({ viewer, id }: Lookup): string {
  return `${viewer}\u0000${id}`
}

async function readInto<Name, Value>(
  known: Map<string, Value>,
  wanted: readonly Name[],
  nameOf: (wanted: Name) => string,
  read: (wanted: readonly Name[]) => Promise<Value[]>,
): Promise<void> {
  if (wanted.length === 0) return
  const values = await read(wanted)
  for (const [index, one] of wanted.entries()) known.set(nameOf(one), values[index] as Value)
}
