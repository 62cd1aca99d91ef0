import type { Limits } from '@kith/shared'
import { decodeFields } from '@kith/shared/wire'
import type { AbstractChainedBatch, AbstractLevel } from 'abstract-level'
import type { Clock } from '../clock.ts'
import { othersTurn, Turns } from '../turns.ts'
import { derive } from './derive/index.ts'
import { type CommitNotes, Draft, type Operation, TooLarge, userOperation } from './draft.ts'
import { type KeyRange, keys, parseOrdered, partsOf, ranges } from './keys.ts'
import { Reading, withNews } from './reading.ts'
import {
  decodeLevel,
  decodeNumber,
  decodeRelation,
  decodeText,
  decodeUser,
  encodeNumber,
  newUser,
  noRelation,
} from './records.ts'
import type { Runs } from './runs.ts'
import type { Change, Commit, Known, Store, Watcher } from './store.ts'

/** Any database of the Level family, with text keys and bytes for values. */
export type LevelDatabase = AbstractLevel<string | Buffer | Uint8Array, string, Uint8Array>

type LevelBatch = AbstractChainedBatch<LevelDatabase, string, Uint8Array>

interface Waiting {
  change: Change
  resolve: (commit: Commit) => void
  reject: (error: unknown) => void
  /** It was derived outside the queue, and holds unless what that read was written meanwhile. */
  prepared?: Prepared
  /** It is derived here, however large it is: others have always been faster. */
  isForced?: boolean
}

interface Prepared {
  draft: Draft
  notes: CommitNotes
  reading: Reading
  encoded: Encoded
  /** Something that was read has been written since. */
  outdated: () => void
}

/** Changes that share one synced write: a few hundred are as fast as one. */
const groupSize = 256
/** How long a database that can't be opened rests. */
const reopenMs = 1_000
/** As many records as one group looks at while all others wait; a change that concerns more is prepared beside the queue. */
const mostRecordsInQueue = 2_000
/** As many relations as are decoded without a pause. */
const relationsAtOnce = 500
/** As many operations as go to LevelDB at once. */
const mostInArray = 4_000
/** As many operations as are encoded without a pause. */
const operationsInTurn = 500
/**
 * How far ahead a large change is given its position, since the records that it writes hold it: as many other commits may
 * come while it is prepared. Positions that nobody gets are no loss.
 */
const aheadByTry = [256, 4_096, 65_536] as const
const dayMs = 86_400_000
/** How long a device may stay away and still be told only what changed. */
const cursorDays = 90

/**
 * The store on a Level database that is open and of our format. Group commit without a timer: what arrives while one
 * batch is written and synced is the next batch.
 */
export function openStore(options: {
  database: LevelDatabase
  runs: Runs
  position: number
  limits: Limits
  clock: Clock
}): Store {
  const { database, limits, clock } = options
  const watchers = new Set<Watcher>()
  let position = options.position
  let queue: Waiting[] = []
  let writing: Promise<void> | undefined
  let isClosing = false
  let markedDay = 0
  const preparing = new Set<Promise<void>>()
  const readings = new Set<Reading>()
  /** A write failed since the database was opened. */
  let isDamaged = false

  const disk = {
    getMany: (wanted: string[]): Promise<(Uint8Array | undefined)[]> =>
      wanted.length === 0 ? Promise.resolve([]) : database.getMany(wanted),
    entries: (range: KeyRange): AsyncIterable<[string, Uint8Array]> => database.iterator(range),
    keys: (range: KeyRange): AsyncIterable<string> => database.keys(range),
  }

  async function writeQueued(): Promise<void> {
    for (let first = queue[0]; first; first = queue[0]) {
      const end = queue.findIndex(({ prepared, isForced }) => prepared || isForced)
      const group = queue.slice(0, Math.max(1, Math.min(groupSize, end < 0 ? queue.length : end)))
      queue = queue.slice(group.length)
      await (first.prepared ? writePrepared(first, first.prepared) : writeGroup(group))
    }
    // In the same breath as the last look at the queue: a change that comes later starts anew.
    writing = undefined
  }

  function enqueue(entry: Waiting): void {
    queue.push(entry)
    writing ??= writeQueued()
  }

  /** One atomic, synced batch for the group; if it can't be, each change alone, so that one can't fail another. */
  async function writeGroup(group: Waiting[]): Promise<void> {
    let commits: Commit[]
    try {
      commits = await writeBatch(
        group.map(({ change }) => change),
        group[0]?.isForced ? Number.POSITIVE_INFINITY : mostRecordsInQueue,
      )
    } catch (error) {
      if (group.length > 1) for (const one of group) await writeGroup([one])
      else if (error instanceof TooLarge) prepareLarge(group[0] as Waiting)
      else group[0]?.reject(error)
      return
    }
    tell(commits)
    commits.forEach((commit, index) => {
      group[index]?.resolve(commit)
    })
  }

  function tell(commits: readonly Commit[]): void {
    position = commits.at(-1)?.position ?? position
    for (const watcher of watchers) watcher.committed(commits)
  }

  async function writeBatch(changes: readonly Change[], mostRecords: number): Promise<Commit[]> {
    if (isDamaged) await reopen()
    const draft = new Draft(disk, clock.now(), mostRecords)
    const commits: CommitNotes[] = []
    for (const change of changes) {
      const notes = newNotes(position + commits.length + 1, change)
      await derive(draft, notes, change, limits)
      commits.push(notes)
    }
    const last = position + commits.length
    const marks = await newMarks(last, draft.nowMs)
    const subjects = new Set(commits.flatMap(({ subjects }) => subjects))
    const encoded = await encode(draft)
    await write({ ...encoded, more: marks.operations, last, isNewDay: marks.isNewDay, subjects })
    for (const reading of readings) reading.note(draft.touched())
    markedDay = Math.max(markedDay, marks.day)
    return commits
  }

  /** What each batch writes besides what is derived: the position, and once a day where that day began. */
  async function newMarks(
    last: number,
    nowMs: number,
  ): Promise<{ operations: Operation[]; day: number; isNewDay: boolean }> {
    const operations: Operation[] = [{ type: 'put', key: keys.position, value: encodeNumber(last) }]
    const day = nowMs - (nowMs % dayMs)
    const isNewDay = day > markedDay
    if (isNewDay) {
      const [stored] = await disk.getMany([keys.day(day)])
      const forgotten = Math.max(await oldestCursor(), await forgottenUpTo())
      operations.push({ type: 'put', key: keys.day(day), value: stored ?? encodeNumber(position) })
      operations.push({ type: 'put', key: keys.forgotten, value: encodeNumber(forgotten) })
    }
    return { operations, day, isNewDay }
  }

  /** All that a draft writes, encoded in slices; where it is much, already on LevelDB's side. */
  async function encode(draft: Draft): Promise<Encoded> {
    const operations: Operation[] = []
    const batch = draft.size > mostInArray ? database.batch() : undefined
    const turns = new Turns(operationsInTurn)
    for (const operation of draft.operations()) {
      if (batch) add(batch, operation)
      else operations.push(operation)
      if (turns.isOver()) await turns.pass()
    }
    return { operations, batch }
  }

  /**
   * A change that concerns thousands of relations is derived and encoded beside the queue, in slices, while others go on;
   * in the queue it is only written, if nothing that was read for it has been written meanwhile.
   */
  function prepareLarge(entry: Waiting): void {
    const work = prepare(entry).finally(() => preparing.delete(work))
    preparing.add(work)
  }

  async function prepare({ change, resolve, reject }: Waiting): Promise<void> {
    for (const ahead of aheadByTry) {
      const reading = new Reading(disk)
      readings.add(reading)
      try {
        const draft = new Draft(reading, clock.now())
        const notes = newNotes(position + ahead, change)
        await derive(draft, notes, change, limits)
        const encoded = await encode(draft)
        const isWritten = await new Promise<boolean>((settle, fail) => {
          const written = (commit: Commit): void => {
            resolve(commit)
            settle(true)
          }
          const outdated = (): void => settle(false)
          enqueue({ change, resolve: written, reject: fail, prepared: { draft, notes, reading, encoded, outdated } })
        })
        if (isWritten) return
      } catch {
        // Said by the attempt in the queue, if it's the same there.
        break
      } finally {
        readings.delete(reading)
      }
    }
    enqueue({ change, resolve, reject, isForced: true })
  }

  async function writePrepared({ resolve, reject }: Waiting, prepared: Prepared): Promise<void> {
    const { draft, notes, reading, encoded, outdated } = prepared
    readings.delete(reading)
    if (isDamaged || reading.isOutdated || notes.position <= position) {
      await encoded.batch?.close().catch(() => undefined)
      return outdated()
    }
    try {
      const marks = await newMarks(notes.position, draft.nowMs)
      const [user] = notes.subjects
      const news = [...reading.newer]
        .filter(([id]) => draft.isDirty(id))
        .map(([id, newer]) => userOperation(id, withNews(draft.user(id), newer, id === user)))
      const more = [...news, ...marks.operations]
      const subjects = new Set(notes.subjects)
      await write({ ...encoded, more, last: notes.position, isNewDay: marks.isNewDay, subjects })
      markedDay = Math.max(markedDay, marks.day)
    } catch (error) {
      return reject(error)
    }
    await noteForOthers(draft)
    tell([notes])
    resolve(notes)
  }

  async function noteForOthers(draft: Draft): Promise<void> {
    for (const reading of readings) {
      reading.note(draft.touched())
      await othersTurn()
    }
  }

  /** Once a day, after it was noted: should the clock go back, cursors from before are served all the same. */
  async function forgetOldChanges(): Promise<void> {
    try {
      await database.clear(ranges.changesUpTo(await forgottenUpTo()))
    } catch {
      // The change itself is written. What is left goes another day.
      isDamaged = true
    }
  }

  async function forgottenUpTo(): Promise<number> {
    const [bytes] = await disk.getMany([keys.forgotten])
    return bytes ? decodeNumber(bytes) : 0
  }

  async function oldestCursor(): Promise<number> {
    let oldest = 0
    for await (const [key, bytes] of disk.entries(ranges.days)) {
      if (parseOrdered(partsOf(key)[1] as string) > clock.now() - cursorDays * dayMs) break
      oldest = decodeNumber(bytes)
    }
    return oldest
  }

  async function write({ operations, batch, more, last, isNewDay, subjects }: Writing): Promise<void> {
    for (const watcher of watchers) watcher.writing?.(subjects)
    try {
      if (batch) {
        for (const operation of more) add(batch, operation)
        await batch.write({ sync: true } as object)
      } else await database.batch([...operations, ...more], { sync: true } as object)
    } catch (error) {
      isDamaged = true
      if (await isWrittenAllTheSame(last)) return
      for (const watcher of watchers) watcher.failed?.()
      throw error
    }
    if (isNewDay) await forgetOldChanges()
  }

  /** Every batch moves the position, so the position on disk tells. */
  async function isWrittenAllTheSame(last: number): Promise<boolean> {
    try {
      await reopen()
      const [bytes] = await disk.getMany([keys.position])
      return bytes !== undefined && decodeNumber(bytes) === last
    } catch {
      // The disk can't even be read: nothing is answered, and the database is opened again when that goes.
      return false
    }
  }

  /**
   * A write that failed half-way, as on a full disk, leaves half a record in LevelDB's log, and LevelDB goes on behind it:
   * whatever is synced later in that log would be skipped by the next recovery [D2]. Opening anew recovers now, and begins
   * a log of its own.
   */
  async function reopen(): Promise<void> {
    try {
      await database.close()
      await database.open()
      isDamaged = false
    } catch (error) {
      // While it is closed nobody can sign in, so no commit may come to try again.
      clock.after(reopenMs, () => {
        if (isDamaged && !isClosing) writing ??= reopenAndGoOn()
      })
      throw error
    }
  }

  async function reopenAndGoOn(): Promise<void> {
    // If it can't be, whoever changes something next is told.
    await reopen().catch(() => undefined)
    await writeQueued()
  }

  async function* relationsOf(id: string): AsyncIterable<Known[]> {
    let some: Known[] = []
    for await (const [key, bytes] of disk.entries(ranges.relations(id))) {
      some.push({ owner: partsOf(key)[2] as string, relation: decodeRelation(bytes) })
      if (some.length < relationsAtOnce) continue
      yield some
      some = []
    }
    if (some.length > 0) yield some
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
    reachOf: run => options.runs.reachOf(run),
    get position() {
      return position
    },

    commit(change) {
      if (isClosing) return Promise.reject(new Error('the store is closing'))
      return new Promise((resolve, reject) => enqueue({ change, resolve, reject }))
    },

    watch(watcher) {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },

    user,
    users,

    async tokensRevokedAt(id) {
      const [bytes] = await disk.getMany([keys.tokens(id)])
      return bytes ? decodeNumber(bytes) : 0
    },

    async document(id, document) {
      const parts: Uint8Array[] = []
      // The snapshot's key sorts before those of the updates.
      for await (const [, bytes] of disk.entries(ranges.document(id, document))) parts.push(bytes)
      return parts
    },

    async views(viewer, owners) {
      const records = await disk.getMany([
        keys.user(viewer),
        ...owners.flatMap(owner => [keys.user(owner), keys.relation(viewer, owner)]),
      ])
      const viewerRecord = records[0] ? decodeUser(records[0]) : newUser()
      return owners.map((_, index) => {
        const owner = records[1 + 2 * index]
        const relation = records[2 + 2 * index]
        return {
          viewer: viewerRecord,
          owner: owner ? decodeUser(owner) : newUser(),
          relation: relation ? decodeRelation(relation) : noRelation,
        }
      })
    },

    async levels(names) {
      const records = await disk.getMany(names.map(({ owner, level }) => keys.level(owner, level)))
      return records.map(bytes => (bytes ? decodeLevel(bytes) : undefined))
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
      for await (const some of relationsOf(id)) for (const one of some) all.push(one)
      return all
    },

    async hasAsked(id, other) {
      const [bytes] = await disk.getMany([keys.asked(id, other)])
      return bytes !== undefined
    },

    async changedSince(since, most) {
      if (position - since > most || since < (await forgottenUpTo())) return undefined
      const changed = new Set<string>()
      for await (const [, bytes] of disk.entries(ranges.changes(since))) changed.add(decodeText(bytes))
      return [...changed]
    },

    oldestCursor,

    async close() {
      isClosing = true
      while (writing || preparing.size > 0) await (writing ?? Promise.all(preparing))
      await database.close()
    },
  }
}

interface Encoded {
  operations: Operation[]
  /** Instead, where there are many. */
  batch: LevelBatch | undefined
}

interface Writing extends Encoded {
  /** Behind those: of two for one key the last counts. */
  more: Operation[]
  last: number
  isNewDay: boolean
  subjects: ReadonlySet<string>
}

function add(batch: LevelBatch, operation: Operation): void {
  if (operation.type === 'put') batch.put(operation.key, operation.value)
  else batch.del(operation.key)
}

function newNotes(position: number, change: Change): CommitNotes {
  return {
    position,
    subjects: subjectsOf(change),
    sights: new Map(),
    pairs: [],
    owners: [],
    levels: new Map(),
    isNew: false,
  }
}

function subjectsOf(change: Change): string[] {
  switch (change.type) {
    case 'pair':
      return [change.a, change.b]
    case 'seen':
      return change.users.map(({ user }) => user)
    default:
      return [change.user]
  }
}
