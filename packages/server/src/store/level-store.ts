import type { Limits } from '@kith/shared'
import { decodeFields } from '@kith/shared/wire'
import type { AbstractChainedBatch, AbstractLevel } from 'abstract-level'
import type { Clock } from '../clock.ts'
import { othersTurn, Turns } from '../turns.ts'
import { derive } from './derive/index.ts'
import { type CommitNotes, Draft, type Operation, TooLarge, userOperation } from './draft.ts'
import type { Incarnations } from './incarnations.ts'
import { type KeyRange, keys, parseOrdered, partsOf, ranges } from './keys.ts'
import { ReadGate } from './read-gate.ts'
import { Reading, withNews } from './reading.ts'
import {
  decodeLevel,
  decodeNumber,
  decodeRelation,
  decodeText,
  decodeUser,
  encodeNumber,
  encodeRelation,
  encodeUser,
  newUser,
  noRelation,
} from './records.ts'
import type { Runs } from './runs.ts'
import type { Change, Commit, Known, Store, Watcher } from './store.ts'
import { Unwritable } from './unwritable.ts'

/** Any database of the Level family, with text keys and bytes for values. */
export type LevelDatabase = AbstractLevel<string | Buffer | Uint8Array, string, Uint8Array>

type LevelBatch = AbstractChainedBatch<LevelDatabase, string, Uint8Array>

/** As large as the records of most users. */
const standIn = {
  user: encodeUser({
    ...newUser(),
    registeredAt: 1_000_000,
    levels: { '0': 1_000_000 },
    relationsChangedAt: 1_000_000,
  }),
  relation: encodeRelation(noRelation),
}

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
/** While changes are refused, the store looks so often whether the disk has room again. */
const probeMs = 1_000
/** As many records as one group looks at while all others wait; a change that concerns more is prepared beside the queue. */
const mostRecordsInQueue = 2_000
/** As many entries as are read and decoded without a pause. */
const entriesAtOnce = 500
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
  incarnations: Incarnations
  cursorKey: Uint8Array
  position: number
  limits: Limits
  clock: Clock
  /** Rejects while the disk has no room for what opening the database writes; absent where there is always room. */
  findRoom?: (() => Promise<void>) | undefined
}): Store {
  const { database, incarnations, limits, clock, findRoom } = options
  const watchers = new Set<Watcher>()
  let position = options.position
  let queue: Waiting[] = []
  let writing: Promise<void> | undefined
  let isClosing = false
  let markedDay = 0
  const preparing = new Set<Promise<void>>()
  let lastPrepared = Promise.resolve()
  const readings = new Set<Reading>()
  /** A write failed since the database was opened. */
  let isDamaged = false
  /** Why changes are refused: the database could not be opened again after a write that failed. */
  let refusal: Unwritable | undefined
  /** The batch that failed then: only the next opening tells whether it is on disk. */
  let undecided: { commits: readonly CommitNotes[]; last: number } | undefined

  const gate = new ReadGate()
  const disk = {
    getMany: (wanted: string[]): Promise<(Uint8Array | undefined)[]> =>
      wanted.length === 0 ? Promise.resolve([]) : gate.read(() => database.getMany(wanted)),
    async *entries(range: KeyRange): AsyncIterable<[string, Uint8Array]> {
      for await (const page of pagesOf(range)) yield* page
    },
    async *keys(range: KeyRange): AsyncIterable<string> {
      const read = (part: Page): Promise<string[]> => gate.read(() => database.keys(part).all())
      for await (const page of inPages(range, read, key => key)) yield* page
    },
  }

  /**
   * A page at a time, each as it stands when it is read: what was begun before the database was closed could not go on
   * after it, and all of a large range at once would hold everyone up [S3].
   */
  function pagesOf(range: KeyRange): AsyncIterable<[string, Uint8Array][]> {
    const read = (part: Page): Promise<[string, Uint8Array][]> => gate.read(() => database.iterator(part).all())
    return inPages(range, read, ([key]) => key)
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

  async function writeBatch(changes: readonly Change[], mostRecords: number): Promise<Commit[]> {
    if (refusal) throw refusal
    if (isDamaged) await reopen()
    const draft = new Draft(disk, clock.now(), incarnations, mostRecords)
    // A device that comes back names up to 256 users: one read for all of them, since all others wait for the batch.
    const lookups = changes.filter(change => change.type === 'lookup')
    await draft.prefetch(
      lookups.map(({ user }) => user),
      lookups.map(({ user, owner }) => keys.asked(user, owner)),
    )
    const commits: CommitNotes[] = []
    for (const change of changes) {
      const notes = newNotes(position + commits.length + 1, change)
      await derive(draft, notes, change, limits)
      commits.push(notes)
    }
    const last = position + commits.length
    const marks = await newMarks(last, draft.nowMs)
    const encoded = await encode(draft)
    await write({ ...encoded, more: marks.operations, commits, last, isNewDay: marks.isNewDay })
    for (const reading of readings) reading.note(draft.touched())
    markedDay = marks.day
    return commits
  }

  /** What each batch writes besides what is derived: the position, and once a day where that day began. */
  async function newMarks(
    last: number,
    nowMs: number,
  ): Promise<{ operations: Operation[]; day: number; isNewDay: boolean }> {
    const operations: Operation[] = [{ type: 'put', key: keys.position, value: encodeNumber(last) }]
    const day = nowMs - (nowMs % dayMs)
    const isNewDay = day !== markedDay // Also when the clock was put back.
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
   * in the queue it is only written, if nothing that was read for it has been written meanwhile. One after the other: each
   * takes a hundred megabytes until it is written, and a slice of every turn.
   */
  function prepareLarge(entry: Waiting): void {
    const work = lastPrepared.then(() => prepare(entry)).finally(() => preparing.delete(work))
    preparing.add(work)
    lastPrepared = work
  }

  async function prepare({ change, resolve, reject }: Waiting): Promise<void> {
    for (const ahead of aheadByTry) {
      const reading = new Reading(disk, subjectsOf(change)[0] as string)
      readings.add(reading)
      try {
        const draft = new Draft(reading, clock.now(), incarnations)
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

  async function writePrepared({ resolve, reject, change }: Waiting, prepared: Prepared): Promise<void> {
    const { draft, notes, reading, encoded, outdated } = prepared
    try {
      if (refusal) throw refusal
      // What was prepared was read before that.
      if (isDamaged) await reopen()
      readings.delete(reading)
      if (reading.isOutdated || notes.position <= position) {
        await encoded.batch?.close().catch(() => undefined)
        return outdated()
      }
      const marks = await newMarks(notes.position, clock.now())
      const [user] = notes.subjects
      const news = [...reading.newer]
        .filter(([id]) => draft.isDirty(id))
        .map(([id, newer]) => userOperation(id, withNews(draft.user(id), newer, id === user)))
      const more = [...news, ...marks.operations]
      // Tokens that were issued while it was prepared end with the account; those that were revoked meanwhile stay so.
      if (change.type === 'erase') more.push(revocation(change.user))
      await write({ ...encoded, more, commits: [notes], last: notes.position, isNewDay: marks.isNewDay })
      markedDay = marks.day
    } catch (error) {
      return reject(error)
    }
    await noteForOthers(draft)
    tell([notes])
    resolve(notes)
  }

  function revocation(user: string): Operation {
    return { type: 'put', key: keys.tokens(user), value: encodeNumber(clock.now()) }
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
      oldest = Math.max(oldest, decodeNumber(bytes))
    }
    return oldest
  }

  async function write({ operations, batch, more, commits, last, isNewDay }: Writing): Promise<void> {
    await announce()
    try {
      if (batch) {
        for (const operation of more) add(batch, operation)
        await batch.write({ sync: true } as object)
      } else await database.batch([...operations, ...more], { sync: true } as object)
    } catch (error) {
      isDamaged = true
      if (await isWrittenAllTheSame(last)) return
      if (refusal) undecided = { commits, last }
      for (const watcher of watchers) watcher.failed?.()
      throw refusal ?? error
    }
    if (isNewDay) await forgetOldChanges()
  }

  /** The batch waits for what is being handed over [V4]. */
  async function announce(): Promise<void> {
    await Promise.all([...watchers].map(watcher => watcher.writing?.()))
  }

  /** Every batch moves the position, so the position on disk tells. */
  async function isWrittenAllTheSame(last: number): Promise<boolean> {
    try {
      await reopen()
      return (await positionOnDisk()) === last
    } catch {
      // Nothing is answered. The next opening tells whether the batch is on disk.
      return false
    }
  }

  async function positionOnDisk(): Promise<number | undefined> {
    const [bytes] = await disk.getMany([keys.position])
    return bytes && decodeNumber(bytes)
  }

  /**
   * A write that failed half-way, as on a full disk, leaves half a record in LevelDB's log, and LevelDB goes on behind it:
   * whatever is synced later in that log would be skipped by the next recovery [D2]. Opening the database again recovers
   * now, and begins a log of its own. Opening writes, too: while there is no room for that the database stays open as it
   * is, so that all that was committed can be read, and changes are refused.
   */
  async function reopen(): Promise<void> {
    try {
      await findRoom?.()
      await gate.whileClosed(async () => {
        await database.close()
        await database.open()
      })
      // A batch that seemed lost may be on disk now, and what was encoded went with the database as it was open.
      for (const reading of readings) reading.end()
      await settleUndecided()
    } catch (error) {
      const reason = new Unwritable(error)
      refuse(reason)
      probeLater()
      throw reason
    }
    isDamaged = false
    refuse(undefined)
  }

  function refuse(reason: Unwritable | undefined): void {
    const isNews = refusal?.reason !== reason?.reason
    refusal = reason
    if (isNews) for (const watcher of watchers) watcher.refusing?.(reason)
  }

  /** Without a commit: while changes are refused, none may come. */
  function probeLater(): void {
    clock.after(probeMs, () => {
      if (!isDamaged || isClosing) return
      if (writing) probeLater()
      else writing = reopenAndGoOn()
    })
  }

  async function reopenAndGoOn(): Promise<void> {
    await reopen().catch(() => undefined) // Changes are refused as before, and the next attempt is on its way.
    await writeQueued()
  }

  /** The batch that failed when changes began to be refused. If it is on disk, it is a commit like any other from now on. */
  async function settleUndecided(): Promise<void> {
    if (!undecided) return
    const { commits, last } = undecided
    const isWritten = (await positionOnDisk()) === last
    undecided = undefined
    if (!isWritten) return
    await announce()
    tell(commits)
  }

  function tell(commits: readonly Commit[]): void {
    position = commits.at(-1)?.position ?? position
    for (const watcher of watchers) watcher.committed(commits)
  }

  async function* relationsOf(id: string): AsyncIterable<Known[]> {
    for await (const page of pagesOf(ranges.relations(id))) {
      yield page.map(([key, bytes]) => ({ owner: partsOf(key)[2] as string, relation: decodeRelation(bytes) }))
    }
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
      return position
    },
    get refusal() {
      return refusal
    },

    commit(change) {
      if (isClosing) return Promise.reject(new Error('the store is closing'))
      if (refusal) return Promise.reject(refusal)
      return new Promise((resolve, reject) => {
        const entry = { change, resolve, reject }
        // Not even begun in the queue, where all others would wait until it is found to be too large.
        if (leastRecords(change) > mostRecordsInQueue) prepareLarge(entry)
        else enqueue(entry)
      })
    },

    watch(watcher) {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },

    user,
    users,

    async incarnation(id, declared) {
      const [bytes] = await disk.getMany([keys.erased(id)])
      const erasures = bytes ? decodeNumber(bytes) : 0
      return { current: incarnations.of(id, erasures), state: incarnations.stateOf(declared, id, erasures) }
    },

    async tokensRevokedAt(id) {
      const [bytes] = await disk.getMany([keys.tokens(id)])
      return bytes ? decodeNumber(bytes) : 0
    },

    async document(id, document) {
      // The snapshot's key sorts before those of the updates. Of one moment: a snapshot removes the updates before it.
      const parts = await gate.read(() => database.iterator(ranges.document(id, document)).all())
      return parts.map(([, bytes]) => bytes)
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
        // What isn't there is decoded as well: else the time would tell whether it is [V8][V10].
        const ownerRecord = decodeUser(owner ?? standIn.user)
        const relationRecord = decodeRelation(relation ?? standIn.relation)
        return {
          viewer: viewerRecord,
          owner: owner ? ownerRecord : newUser(),
          relation: relation ? relationRecord : noRelation,
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

type Page = KeyRange & { limit: number }

async function* inPages<T>(
  { gt, lt }: KeyRange,
  read: (page: Page) => Promise<T[]>,
  keyOf: (one: T) => string,
): AsyncIterable<T[]> {
  for (let after: string | undefined = gt; after !== undefined; ) {
    const page: T[] = await read({ gt: after, lt, limit: entriesAtOnce })
    if (page.length > 0) yield page
    const last = page.at(-1)
    after = last === undefined || page.length < entriesAtOnce ? undefined : keyOf(last)
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
  commits: readonly CommitNotes[]
  last: number
  isNewDay: boolean
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
    standings: [],
    strangers: [],
    hidings: [],
    levels: new Map(),
    isNew: false,
  }
}

/** The records of each user whom a roster names: the user, and both sides of the relation. */
const recordsPerUser = 3

/** How many records a change will look at, as far as the change itself tells. */
function leastRecords(change: Change): number {
  return change.type === 'documents' ? recordsPerUser * (change.roster?.facts.size ?? 0) : 0
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
