import type { Limits } from '@kith/shared'
import { decodeFields } from '@kith/shared/wire'
import type { Clock } from '../../clock.ts'
import type { EventRoom } from '../../relations/event-room.ts'
import type { Incarnations } from '../../relations/incarnations.ts'
import { alwaysCurrent } from '../../relations/lease.ts'
import { type LevelRecord, newUser, noRelation, type UserRecord } from '../../relations/records.ts'
import type { Store } from '../../relations/store.ts'
import type { Known, KnownPage } from '../../relations/views.ts'
import { CommitListeners } from '../commit-listeners.ts'
import { ChangeRetention } from './change-retention.ts'
import { presentFormat } from './format/formats.ts'
import { GroupCommit } from './group-commit.ts'
import { keys, lastPartOf, parseOrdered, partsOf, ranges } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'
import { levelOutbox } from './level-outbox.ts'
import { LevelRecords } from './level-records.ts'
import { PagedReads } from './paged-reads.ts'
import { ReadGate } from './read-gate.ts'
import {
  decodeLevel,
  decodeNumber,
  decodeRelation,
  decodeText,
  decodeUser,
  encodeRelation,
  encodeUser,
  relationsDecoder,
} from './record-codec.ts'
import type { Runs } from './runs.ts'
import { type CommitSizes, commitSizes } from './sizes.ts'

/** Records as large as those of most users. */
const standIn = {
  user: encodeUser({
    ...newUser(),
    registeredAt: 1_000_000,
    levels: { '0': 1_000_000 },
  }),
  relation: encodeRelation(noRelation),
}

export interface LevelStoreOptions {
  database: LevelDatabase
  runs: Runs
  incarnations: Incarnations
  cursorKey: Uint8Array
  /** The position of the last commit on disk. */
  position: number
  limits: Limits
  clock: Clock
  /** Rejects while the disk has no room for what opening the database writes. Absent if there is always room. */
  findRoom?: (() => Promise<void>) | undefined
  sizes?: CommitSizes
  /** Absent if no events are written. */
  room?: EventRoom | undefined
  /** The folder's `minReader`. Default: that of the present format. */
  minReader?: number | undefined
}

/** The store on a Level database that is open and in our format. This file has its reads; `group-commit.ts` writes. */
export function openStore(options: LevelStoreOptions): Store {
  const { database, incarnations, clock } = options
  const gate = new ReadGate()
  const disk = new PagedReads(database, gate)
  const records = new LevelRecords(disk)
  const retention = new ChangeRetention(database, disk, clock)
  const listeners = new CommitListeners()
  const commits = new GroupCommit({
    findRoom: undefined,
    room: undefined,
    sizes: commitSizes,
    ...options,
    minReader: options.minReader ?? presentFormat.minReader,
    disk,
    records,
    gate,
    retention,
    listeners,
  })

  const positionOf = (bytes: Uint8Array | undefined): number => (bytes ? decodeNumber(bytes) : options.position)

  async function* relationsOf(id: string): AsyncIterable<KnownPage> {
    const decode = relationsDecoder()
    for await (const page of disk.pages(ranges.relations(id))) {
      const at = positionOf(await disk.get(keys.position))
      const known = page.map(([key, bytes]) => ({ owner: lastPartOf(key), relation: decode(bytes) }))
      yield { at, relations: known }
    }
  }

  /** Returns the records of these keys, and the position of the state in which they were read. */
  async function readAt(wanted: readonly string[]): Promise<[at: number, records: (Uint8Array | undefined)[]]> {
    // Consistent, because Level reads many keys from one snapshot.
    const [position, ...records] = await disk.getMany([keys.position, ...wanted])
    return [positionOf(position), records]
  }

  async function user(id: string): Promise<ReturnType<typeof newUser>> {
    return (await users([id]))[0] as ReturnType<typeof newUser>
  }

  async function users(ids: readonly string[]): Promise<ReturnType<typeof newUser>[]> {
    const records = await disk.getMany(ids.map(keys.user))
    return records.map(bytes => (bytes ? decodeUser(bytes) : newUser()))
  }

  return {
    run: options.runs.current,
    cursorKey: options.cursorKey,
    reachOf: run => options.runs.reachOf(run),
    get position() {
      return commits.position
    },
    losses: 0,
    get refusal() {
      return commits.refusal
    },
    outbox: levelOutbox(disk),
    lease: alwaysCurrent,
    whenEverywhere: () => Promise.resolve(),
    whenCurrent: () => Promise.resolve(),
    commit: change => commits.commit(change),
    onCommit: listener => listeners.add(listener),

    user,
    users,

    async incarnation(id, declared) {
      const [bytes] = await disk.getMany([keys.erased(id)])
      const erasures = bytes ? decodeNumber(bytes) : 0
      return { current: incarnations.of(id, erasures), state: incarnations.stateOf(declared, id, erasures) }
    },

    async revocation(id) {
      const [atMs = 0] = await records.revokedAtMs([id])
      return { atMs, nowMs: clock.now() }
    },

    async document(id, document) {
      // The snapshot's key sorts before those of the updates. The read is consistent: a snapshot removes the updates before it.
      const parts = await disk.all(ranges.document(id, document))
      // Only one process writes, and it knows what it has written, so there is no version to compare.
      return { version: 0, parts: parts.map(([, bytes]) => bytes) }
    },

    async documentSince(id, document, position) {
      const parts = await disk.all(ranges.document(id, document))
      const isSince = (key: string): boolean => parseOrdered(partsOf(key)[4] ?? '') >= position
      return { version: 0, parts: parts.filter(([key]) => isSince(key)).map(([, bytes]) => bytes) }
    },

    async views(viewer, owners, wanted = () => []) {
      const pairs = owners.flatMap(owner => [keys.user(owner), keys.relation(viewer, owner)])
      const [at, records] = await readAt([keys.user(viewer), ...pairs])
      const viewerRecord = records[0] ? decodeUser(records[0]) : newUser()
      const views = owners.map((_, index) => {
        const owner = records[1 + 2 * index]
        const relation = records[2 + 2 * index]
        // A stand-in is decoded for a missing record. Otherwise the time would reveal whether the record exists [V8][V10].
        const ownerRecord = decodeUser(owner ?? standIn.user)
        const relationRecord = decodeRelation(relation ?? standIn.relation)
        return {
          viewer: viewerRecord,
          owner: owner ? ownerRecord : newUser(),
          relation: relation ? relationRecord : noRelation,
        }
      })
      const names = wanted(views)
      // A batch may be written before the levels are read. It has been announced by then, so the earlier position is no longer
      // current [V4].
      const [, levels] = await readAt(names.map(({ owner, level }) => keys.level(owner, level)))
      return { at, views, levels: levels.map(levelOf) }
    },

    async levels(names) {
      const records = await disk.getMany(names.map(({ owner, level }) => keys.level(owner, level)))
      return records.map(levelOf)
    },

    async levelsWithFields(owner) {
      const found: number[] = []
      for await (const [key, bytes] of disk.entries(ranges.levels(owner))) {
        const isEmpty = Object.keys(decodeFields(decodeLevel(bytes).fields)).length === 0
        if (!isEmpty) found.push(parseOrdered(partsOf(key)[2] as string))
      }
      return found
    },

    relationsOf,

    async relations(id) {
      const all: Known[] = []
      for await (const { relations } of relationsOf(id)) for (const one of relations) all.push(one)
      return all
    },

    async registeredAfter(id, most) {
      const found: [string, UserRecord][] = []
      const range = { gt: keys.user(id), lt: ranges.users.lt }
      for await (const [key, bytes] of disk.entries(range)) {
        const record = decodeUser(bytes)
        if (record.registeredAt > 0 && found.push([partsOf(key)[1] as string, record]) === most) break
      }
      return found
    },

    async hasAsked(id, other) {
      const [bytes] = await disk.getMany([keys.asked(id, other)])
      return bytes !== undefined
    },

    async changedSince(since, most) {
      if (commits.position - since > most || since < (await retention.forgottenUpTo())) return undefined
      const changed = new Set<string>()
      for await (const [, bytes] of disk.entries(ranges.changes(since))) changed.add(decodeText(bytes))
      return [...changed]
    },

    oldestCursor: () => retention.oldestCursor(),
    get confirmedMs() {
      return retention.confirmedMs
    },

    async close() {
      await commits.close()
      await database.close()
    },
  }
}

function levelOf(bytes: Uint8Array | undefined): LevelRecord | undefined {
  return bytes && decodeLevel(bytes)
}
