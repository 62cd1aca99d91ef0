import type { Limits } from '@kith/shared'
import type { Clock } from '../../clock.ts'
import { isOfLaterGeneration } from '../../relations/changes.ts'
import type { Commit } from '../../relations/commit.ts'
import { derive } from '../../relations/derive.ts'
import { Draft, TooLarge } from '../../relations/draft.ts'
import type { EventRoom } from '../../relations/event-room.ts'
import type { Incarnations } from '../../relations/incarnations.ts'
import { keptUser } from '../../relations/records.ts'
import { othersTurn } from '../../turns.ts'
import { leastRecords, newNotes, subjectsOf } from '../commit-notes.ts'
import type { ChangeRetention, Marks } from './change-retention.ts'
import { encode, revoke } from './encode.ts'
import { generationsFormat } from './format/formats.ts'
import type { MinReader } from './format/min-reader.ts'
import type { LevelReads } from './level-records.ts'
import { type Operation, operationOf } from './operations.ts'
import type { OwnMemory } from './own-memory.ts'
import type { PreparedWrite, Waiting } from './queue-entry.ts'
import { Reading, withNews } from './reading.ts'
import type { RecoveringLevel } from './recovering-level.ts'
import type { CommitSizes } from './sizes.ts'
import { cutIntoSlices } from './stage/cut.ts'
import type { Stage } from './stage/stage.ts'

/**
 * How far ahead the position of a large change is chosen, because the records that it writes contain the position. This many
 * other commits may be made while it is prepared. A position that no commit uses does no harm.
 */
const aheadByTry = [256, 4_096, 65_536] as const

type Outcome = 'written' | 'outdated' | 'failed' | 'too large'

/** Changes that are prepared one after the other. */
interface Lane {
  /** A change that reads more records is prepared in another lane. */
  readonly mostRecords: number
  /** Resolves when the most recently begun change has ended. */
  last: Promise<void>
}

export interface PreparedChangesPort {
  readonly records: LevelReads
  readonly level: RecoveringLevel
  readonly minReader: MinReader
  readonly stage: Stage
  readonly sizes: CommitSizes
  readonly retention: ChangeRetention
  readonly incarnations: Incarnations
  readonly limits: Limits
  readonly clock: Clock
  readonly room: EventRoom | undefined
  readonly memory: OwnMemory
  /** The position of the last commit that was reported. */
  position(): number
  enqueue(entry: Waiting): void
  /** A batch with these marks is on disk. */
  mark(marks: Marks): Promise<void>
  report(commits: readonly Commit[]): void
}

/**
 * Changes that affect thousands of relations. Each is derived and encoded beside the queue, in slices, while other changes
 * continue. In the queue it is only written, provided that nothing that it read has been written meanwhile. One large change is
 * prepared at a time, because each takes some 100 MB until it is written, and a slice of every turn. Changes of medium size
 * have their own lane, so that a user with 1,000 contacts does not wait for users who have 100,000.
 */
export class PreparedChanges {
  readonly #port: PreparedChangesPort
  readonly #preparing: Set<Promise<void>> = new Set()
  readonly #readings: Set<Reading> = new Set()
  readonly #medium: Lane
  readonly #large: Lane = { mostRecords: Number.POSITIVE_INFINITY, last: Promise.resolve() }

  constructor(port: PreparedChangesPort) {
    this.#port = port
    this.#medium = { mostRecords: port.sizes.recordsOfMedium, last: Promise.resolve() }
  }

  get isBusy(): boolean {
    return this.#preparing.size > 0
  }

  /** Resolves when everything that is being prepared now has been written or has failed. */
  async idle(): Promise<void> {
    await Promise.all(this.#preparing)
  }

  begin(entry: Waiting): void {
    this.#beginIn(leastRecords(entry.change) > this.#medium.mostRecords ? this.#large : this.#medium, entry)
  }

  #beginIn(lane: Lane, entry: Waiting): void {
    const work = lane.last.then(() => this.#prepare(entry, lane)).finally(() => this.#preparing.delete(work))
    this.#preparing.add(work)
    lane.last = work
  }

  /** All reads become invalid. */
  endReadings(): void {
    for (const reading of this.#readings) reading.end()
  }

  /** A batch was written in the queue. */
  noteWritten(draft: Draft): void {
    for (const reading of this.#readings) reading.note(draft.touched())
  }

  async #prepare(entry: Waiting, lane: Lane): Promise<void> {
    for (const ahead of aheadByTry) {
      const { outcome, slices } = await this.#attempt(entry, ahead, lane)
      if (outcome === 'too large') return this.#beginIn(this.#large, entry)
      if (slices > 0 && !(await this.#endStage(entry, outcome, slices))) return
      if (outcome === 'written') return
      // If the attempt in the queue fails in the same way, it reports the error.
      if (outcome === 'failed') break
    }
    this.#port.enqueue({ ...entry, isForced: true })
  }

  /** `slices`: the number of slices that it has staged. */
  async #attempt(
    { change, resolve }: Waiting,
    ahead: number,
    { mostRecords }: Lane,
  ): Promise<{ outcome: Outcome; slices: number }> {
    const { records, clock, incarnations, limits, position, enqueue, sizes, room } = this.#port
    const reading = new Reading(records, subjectsOf(change))
    this.#readings.add(reading)
    let slices = 0
    try {
      const draft = new Draft(reading, clock.now(), incarnations, { mostRecords, room })
      const notes = newNotes(position() + ahead, change)
      await derive(draft, notes, change, limits)
      const operations = await encode(reading, draft, this.#port.retention.confirmedMs)
      // Only one change is staged at a time.
      if (mostRecords < Number.POSITIVE_INFINITY && operations.length > sizes.operationsInBatch) throw new TooLarge()
      const writes = await this.#staged(operations)
      slices = writes.slices.length
      const outcome = await new Promise<Outcome>((settle, fail) => {
        const written = (commit: Commit): void => {
          resolve(commit)
          settle('written')
        }
        const outdated = (): void => settle('outdated')
        enqueue({ change, resolve: written, reject: fail, prepared: { draft, notes, reading, writes, outdated } })
      })
      return { outcome, slices }
    } catch (error) {
      return { outcome: error instanceof TooLarge ? 'too large' : 'failed', slices }
    } finally {
      this.#readings.delete(reading)
    }
  }

  /** Writes operations that are too many for one batch to the disk, beside the queue. */
  async #staged(operations: Operation[]): Promise<PreparedWrite['writes']> {
    const { sizes, stage } = this.#port
    if (operations.length <= sizes.operationsInBatch) return { slices: [], operations }
    const { slices, large } = await cutIntoSlices(operations, sizes.operationsInSlice)
    await stage.put(slices)
    return { slices, operations: large }
  }

  /**
   * Applies the staged slices if the change is a commit, otherwise removes them. Returns `false` if no other attempt is needed.
   */
  async #endStage({ reject }: Waiting, outcome: Outcome, slices: number): Promise<boolean> {
    const { level, stage } = this.#port
    const { refusal } = level
    if (outcome === 'failed' && refusal) {
      // Whether the commit is on disk is known only after the next opening.
      reject(refusal)
      if (!(await level.writable())) return false
    }
    if (outcome === 'written' || stage.isCommitted) {
      await stage.apply()
      return false
    }
    await stage.discard(slices)
    return !refusal
  }

  /** Writes a prepared change. Only the queue may call this. */
  async write({ resolve, reject, change }: Waiting, prepared: PreparedWrite): Promise<void> {
    const { level, records, retention, clock, position, mark, report, stage, memory, minReader } = this.#port
    const { draft, notes, reading, writes, outdated } = prepared
    try {
      // The change may have been read before the database was opened again.
      await level.ready()
      this.#readings.delete(reading)
      if (reading.isOutdated || notes.position <= position()) return outdated()
      const marks = await retention.marks(position(), notes.position, clock.now())
      if (isOfLaterGeneration(change)) await minReader.raise(generationsFormat)
      const news = [...reading.newer]
        .filter(([id]) => draft.isDirty(id))
        .map(([id, newer]) => ({
          id,
          user: keptUser(withNews(draft.user(id), newer, reading.subjects.has(id) ? change.type : undefined)),
        }))
        .map(write => operationOf({ kind: 'user', ...write }))
      const more = [...news, ...marks.operations]
      // Tokens that were issued while the change was prepared end with the account. Tokens that were revoked meanwhile stay
      // revoked.
      if (change.type === 'erase' && !notes.isMissed) more.push(...(await revoke(records, [change.user], clock.now())))
      const operations = [...writes.operations, ...more]
      const isStaged = writes.slices.length > 0
      const markers = isStaged ? stage.begin(writes.slices, operations) : stage.alsoWritten(operations, true)
      await level.write([...operations, ...markers], { commits: [notes], last: notes.position })
      memory.forgetWritten(draft, notes.subjects)
      if (isStaged) stage.noteCommitted()
      else stage.noteWritten(operations)
      await mark(marks)
    } catch (error) {
      memory.forgetAll()
      return reject(error)
    }
    await this.#noteForOthers(draft)
    report([notes])
    resolve(notes)
  }

  async #noteForOthers(draft: Draft): Promise<void> {
    for (const reading of this.#readings) {
      reading.note(draft.touched())
      await othersTurn()
    }
  }
}
