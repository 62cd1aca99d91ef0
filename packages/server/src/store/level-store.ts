import type { Limits } from '@kith/shared'
import { decodeFields } from '@kith/shared/wire'
import type { AbstractLevel } from 'abstract-level'
import type { Clock } from '../clock.ts'
import { derive } from './derive/index.ts'
import { type CommitNotes, Draft, type Operation } from './draft.ts'
import { type KeyRange, keys, parseOrdered, partsOf, ranges } from './keys.ts'
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
import type { Change, Commit, Store, Watcher } from './store.ts'

/** Any database of the Level family, with text keys and bytes for values. */
export type LevelDatabase = AbstractLevel<string | Buffer | Uint8Array, string, Uint8Array>

interface Waiting {
  change: Change
  resolve: (commit: Commit) => void
  reject: (error: unknown) => void
}

/** Changes that share one synced write: a few hundred are as fast as one. */
const groupSize = 256
/** How long a database that can't be opened rests. */
const reopenMs = 1_000
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
  /** A write failed since the database was opened. */
  let isDamaged = false

  const disk = {
    getMany: (wanted: string[]): Promise<(Uint8Array | undefined)[]> =>
      wanted.length === 0 ? Promise.resolve([]) : database.getMany(wanted),
    entries: (range: KeyRange): AsyncIterable<[string, Uint8Array]> => database.iterator(range),
    keys: (range: KeyRange): AsyncIterable<string> => database.keys(range),
  }

  async function writeQueued(): Promise<void> {
    while (queue.length > 0) {
      const group = queue.slice(0, groupSize)
      queue = queue.slice(groupSize)
      await writeGroup(group)
    }
    // In the same breath as the last look at the queue: a change that comes later starts anew.
    writing = undefined
  }

  /** One atomic, synced batch for the group; if it can't be, each change alone, so that one can't fail another. */
  async function writeGroup(group: Waiting[]): Promise<void> {
    let commits: Commit[]
    try {
      commits = await writeBatch(group.map(({ change }) => change))
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error)
      else for (const one of group) await writeGroup([one])
      return
    }
    position += commits.length
    for (const watcher of watchers) watcher.committed(commits)
    commits.forEach((commit, index) => {
      group[index]?.resolve(commit)
    })
  }

  async function writeBatch(changes: readonly Change[]): Promise<Commit[]> {
    if (isDamaged) await reopen()
    const draft = new Draft(disk, clock.now())
    const commits: CommitNotes[] = []
    for (const change of changes) {
      const notes = newNotes(position + commits.length + 1, change)
      await derive(draft, notes, change, limits)
      commits.push(notes)
    }
    const last = position + commits.length
    draft.write(keys.position, encodeNumber(last))
    const day = draft.nowMs - (draft.nowMs % dayMs)
    const isNewDay = day > markedDay
    if (isNewDay) {
      draft.write(keys.day(day), (await draft.read(keys.day(day))) ?? encodeNumber(position))
      draft.write(keys.forgotten, encodeNumber(Math.max(await oldestCursor(), await forgottenUpTo())))
    }
    await write([...draft.operations()], last, isNewDay, new Set(commits.flatMap(({ subjects }) => subjects)))
    markedDay = Math.max(markedDay, day)
    return commits
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

  async function write(
    operations: Operation[],
    last: number,
    isNewDay: boolean,
    subjects: ReadonlySet<string>,
  ): Promise<void> {
    for (const watcher of watchers) watcher.writing?.(subjects)
    try {
      await database.batch(operations, { sync: true } as object)
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
      return new Promise((resolve, reject) => {
        queue.push({ change, resolve, reject })
        writing ??= writeQueued()
      })
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

    async relations(id) {
      const records = await database.iterator(ranges.relations(id)).all()
      return records.map(([key, bytes]) => ({ owner: partsOf(key)[2] as string, relation: decodeRelation(bytes) }))
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
      while (writing) await writing
      await database.close()
    },
  }
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
