import type { Limits } from '@kith/shared'
import type { Clock } from '../../clock.ts'
import { pace } from '../../pace.ts'
import { type Change, isOfLaterGeneration } from '../../relations/changes.ts'
import type { Commit } from '../../relations/commit.ts'
import { derive } from '../../relations/derive.ts'
import { type CommitNotes, Draft, TooLarge } from '../../relations/draft.ts'
import type { EventRoom } from '../../relations/event-room.ts'
import type { Incarnations } from '../../relations/incarnations.ts'
import { preload } from '../../relations/preload.ts'
import type { Unwritable } from '../../relations/unwritable.ts'
import { othersTurn } from '../../turns.ts'
import type { CommitListeners } from '../commit-listeners.ts'
import { leastRecords, newNotes, subjectsOf } from '../commit-notes.ts'
import type { ChangeRetention, Marks } from './change-retention.ts'
import { encode } from './encode.ts'
import { generationsFormat } from './format/formats.ts'
import { MinReader } from './format/min-reader.ts'
import { Lapsing } from './lapsing.ts'
import type { LevelDatabase } from './level-database.ts'
import { type LevelReads, LevelRecords } from './level-records.ts'
import type { Operation } from './operations.ts'
import { OwnMemory } from './own-memory.ts'
import { OwnReads } from './own-reads.ts'
import type { PagedReads } from './paged-reads.ts'
import { PreparedChanges } from './prepared-changes.ts'
import type { Waiting, Work } from './queue-entry.ts'
import type { ReadGate } from './read-gate.ts'
import { RecoveringLevel } from './recovering-level.ts'
import type { CommitSizes } from './sizes.ts'
import { Stage } from './stage/stage.ts'

/** The number of changes that may share one synced write. A few hundred are as fast as one. */
const groupSize = 256
/** The number of records that most changes read at most. */
const recordsOfMost = 8

export interface GroupCommitOptions {
  readonly database: LevelDatabase
  readonly disk: PagedReads
  readonly records: LevelReads
  readonly gate: ReadGate
  readonly retention: ChangeRetention
  readonly listeners: CommitListeners
  readonly incarnations: Incarnations
  readonly limits: Limits
  readonly clock: Clock
  /** Absent if no events are written. */
  readonly room: EventRoom | undefined
  readonly findRoom: (() => Promise<void>) | undefined
  readonly sizes: CommitSizes
  /** The lowest format whose versions may open the database, as stored there. */
  readonly minReader: number
  /** The position of the last commit on disk. */
  readonly position: number
}

/**
 * The one order of commits. Group commit without a timer: the changes that arrive while one batch is written and synced are the
 * next batch.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #level: RecoveringLevel
  /** The reads for changes that are derived in the queue. */
  readonly #records: LevelReads
  readonly #memory = new OwnMemory()
  readonly #minReader: MinReader
  readonly #stage: Stage
  readonly #prepared: PreparedChanges
  readonly #lapsing: Lapsing
  #position: number
  #queue: (Waiting | Work)[] = []
  #writing: Promise<void> | undefined
  #isClosing = false

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#position = options.position
    this.#records = new LevelRecords(options.disk, othersTurn)
    this.#level = new RecoveringLevel({
      ...options,
      // Everything that was read and encoded belongs to the database as it was before it was opened again.
      reopened: () => {
        this.#memory.forgetAll()
        this.#prepared.endReadings()
        return this.#stage.learn()
      },
      recovered: commits => this.#report(commits),
      runBetweenWrites: work => {
        if (this.#writing) return false
        this.#writing = work().then(() => this.#writeQueued())
        return true
      },
    })
    const minReader = new MinReader(options.minReader, operations => this.#level.writeUnseen(operations))
    this.#minReader = minReader
    this.#stage = new Stage({
      database: options.database,
      minReader,
      inQueue: work => this.#inQueue(work),
      write: operations => this.#level.writeUnseen(operations),
      writable: () => this.#level.writable(),
    })
    this.#lapsing = new Lapsing({
      ...options,
      inQueue: work => this.#inQueue(work),
      write: operations => this.#level.writeUnseen(operations),
    })
    options.disk.layOver(this.#stage)
    this.#prepared = new PreparedChanges({
      ...options,
      level: this.#level,
      minReader,
      stage: this.#stage,
      position: () => this.#position,
      enqueue: entry => this.#enqueue(entry),
      mark: marks => this.#mark(marks),
      memory: this.#memory,
      report: commits => this.#report(commits),
    })
  }

  /** The position of the last commit that was reported. */
  get position(): number {
    return this.#position
  }

  get refusal(): Unwritable | undefined {
    return this.#level.refusal
  }

  commit(change: Change): Promise<Commit> {
    if (this.#isClosing) return Promise.reject(new Error('the store is closing'))
    if (this.refusal) return Promise.reject(this.refusal)
    return new Promise((resolve, reject) => {
      const entry = { change, resolve, reject }
      // It does not even begin in the queue, where all others would wait until it is found to be too large.
      if (leastRecords(change) > this.#options.sizes.recordsInQueue) this.#prepared.begin(entry)
      else this.#enqueue(entry)
    })
  }

  /** Accepts no more changes. Resolves when the accepted ones are on disk or have failed. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#level.close()
    await this.#lapsing.close()
    while (this.#writing || this.#prepared.isBusy) await (this.#writing ?? this.#prepared.idle())
  }

  #inQueue(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = (): Promise<void> => this.#level.ready().then(work).then(resolve, reject)
      this.#enqueue({ run })
    })
  }

  #enqueue(entry: Waiting | Work): void {
    this.#queue.push(entry)
    this.#writing ??= this.#writeQueued()
  }

  async #writeQueued(): Promise<void> {
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      const group = this.#nextGroup()
      this.#queue = this.#queue.slice(Math.max(1, group.length))
      if ('run' in first) await first.run()
      else if (first.prepared) await this.#prepared.write(first, first.prepared)
      else await this.#writeGroup(group)
    }
    // No `await` between the last check of the queue and this reset, so a later change starts a new loop.
    this.#writing = undefined
  }

  /**
   * Returns the changes at the head of the queue that share a batch. A forced change is alone. The group is empty if the head
   * is prepared or is work.
   */
  #nextGroup(): Waiting[] {
    const group: Waiting[] = []
    for (const entry of this.#queue.slice(0, groupSize)) {
      if ('run' in entry || entry.prepared || (entry.isForced && group.length > 0)) break
      group.push(entry)
      if (entry.isForced) break
    }
    return group
  }

  /**
   * Writes one atomic, synced batch for the group. If that fails, each change is written alone, so that one cannot fail
   * another.
   */
  async #writeGroup(group: Waiting[]): Promise<void> {
    let commits: Commit[]
    try {
      commits = await this.#writeBatch(
        group.map(({ change }) => change),
        this.#mostRecords(group),
      )
    } catch (error) {
      if (group.length > 1) for (const one of group) await this.#writeGroup([one])
      else if (error instanceof TooLarge) this.#prepared.begin(group[0] as Waiting)
      else group[0]?.reject(error)
      return
    }
    if (!group[0]?.isForced) pace.noteServed()
    this.#report(commits)
    commits.forEach((commit, index) => {
      group[index]?.resolve(commit)
    })
  }

  /** A group that reads more records is written change by change. That shows which of them is large. */
  #mostRecords(group: readonly Waiting[]): number {
    if (group[0]?.isForced) return Number.POSITIVE_INFINITY
    return this.#options.sizes.recordsInQueue + recordsOfMost * (group.length - 1)
  }

  async #writeBatch(changes: readonly Change[], mostRecords: number): Promise<Commit[]> {
    await this.#level.ready()
    const records = new OwnReads(this.#records, this.#memory, changes.flatMap(subjectsOf))
    try {
      return await this.#deriveAndWrite(records, changes, mostRecords)
    } finally {
      records.end()
    }
  }

  async #deriveAndWrite(records: OwnReads, changes: readonly Change[], mostRecords: number): Promise<Commit[]> {
    const { clock, incarnations, limits, retention, room } = this.#options
    const draft = new Draft(records, clock.now(), incarnations, { mostRecords, isAwaited: true, room })
    await preload(draft, changes)
    const commits: CommitNotes[] = []
    for (const change of changes) {
      const notes = newNotes(this.#position + commits.length + 1, change)
      await derive(draft, notes, change, limits)
      commits.push(notes)
    }
    const last = this.#position + commits.length
    const marks = await retention.marks(this.#position, last, draft.nowMs)
    if (changes.some(isOfLaterGeneration)) await this.#minReader.raise(generationsFormat)
    const operations = [...(await encode(records, draft, retention.confirmedMs)), ...marks.operations]
    const isForced = mostRecords === Number.POSITIVE_INFINITY
    const markers = this.#stage.alsoWritten(operations, isForced)
    await this.#write([...operations, ...markers], { commits, last })
    if (isForced) this.#memory.forgetWritten(draft, changes.flatMap(subjectsOf))
    else this.#memory.noteWritten(draft)
    this.#stage.noteWritten(operations)
    await this.#mark(marks)
    this.#prepared.noteWritten(draft)
    return commits
  }

  async #write(operations: readonly Operation[], batch: { commits: CommitNotes[]; last: number }): Promise<void> {
    try {
      await this.#level.write(operations, batch)
    } catch (error) {
      this.#memory.forgetAll()
      throw error
    }
  }

  /** The change itself is written. Old changes that cannot be deleted now are deleted on another day. */
  async #mark(marks: Marks): Promise<void> {
    const { retention } = this.#options
    // Also after a start, because records may remain.
    const removesLapsed = marks.lapsed !== undefined || !retention.isMarked
    if (marks.isNewDay) await retention.forgetOldChanges().catch(() => this.#level.noteDamage())
    retention.noteMarked(marks)
    if (removesLapsed) this.#lapsing.begin()
  }

  #report(commits: readonly Commit[]): void {
    this.#position = commits.at(-1)?.position ?? this.#position
    this.#options.listeners.committed(commits)
  }
}
