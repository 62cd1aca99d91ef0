import type { Limits } from '@kith/shared'
import type { Clock } from '../../clock.ts'
import { derive } from '../../relations/derive.ts'
import { Draft } from '../../relations/draft.ts'
import type { Incarnations } from '../../relations/incarnations.ts'
import { keptUser } from '../../relations/records.ts'
import type { Commit } from '../../relations/store.ts'
import { othersTurn } from '../../turns.ts'
import { newNotes, subjectsOf } from '../commit-notes.ts'
import type { ChangeRetention, Marks } from './change-retention.ts'
import { encode } from './encoded.ts'
import type { LevelReads } from './level-records.ts'
import { type Operation, operationOf } from './operations.ts'
import type { LevelDatabase } from './paged-reads.ts'
import type { PreparedWrite, Waiting } from './queue-entry.ts'
import { Reading, withNews } from './reading.ts'
import type { RecoveringLevel } from './recovering-level.ts'

/**
 * How far ahead a large change is given its position, since the records that it writes hold it: as many other commits may
 * come while it is prepared. A position that no commit gets is no loss.
 */
const aheadByTry = [256, 4_096, 65_536] as const

export interface PreparedChangesPort {
  readonly database: LevelDatabase
  readonly records: LevelReads
  readonly level: RecoveringLevel
  readonly retention: ChangeRetention
  readonly incarnations: Incarnations
  readonly limits: Limits
  readonly clock: Clock
  /** Of the last commit that was reported. */
  position(): number
  enqueue(entry: Waiting): void
  /** A batch with these marks is on disk. */
  mark(marks: Marks): Promise<void>
  report(commits: readonly Commit[]): void
}

/**
 * Changes that concern thousands of relations. Each is derived and encoded beside the queue, in slices, while others go on.
 * In the queue it is only written, if nothing that was read for it has been written meanwhile. One change is prepared at a
 * time: each takes some 100 MB until it is written, and a slice of every turn.
 */
export class PreparedChanges {
  readonly #port: PreparedChangesPort
  readonly #preparing: Set<Promise<void>> = new Set()
  readonly #readings: Set<Reading> = new Set()
  /** The change that was begun last. */
  #last: Promise<void> = Promise.resolve()

  constructor(port: PreparedChangesPort) {
    this.#port = port
  }

  get isBusy(): boolean {
    return this.#preparing.size > 0
  }

  /** Resolves when all that is being prepared now has been written or has failed. */
  async idle(): Promise<void> {
    await Promise.all(this.#preparing)
  }

  begin(entry: Waiting): void {
    const work = this.#last.then(() => this.#prepare(entry)).finally(() => this.#preparing.delete(work))
    this.#preparing.add(work)
    this.#last = work
  }

  /** All that was read counts no more. */
  endReadings(): void {
    for (const reading of this.#readings) reading.end()
  }

  /** A batch was written in the queue. */
  noteWritten(draft: Draft): void {
    for (const reading of this.#readings) reading.note(draft.touched())
  }

  async #prepare({ change, resolve, reject }: Waiting): Promise<void> {
    const { database, records, clock, incarnations, limits, position, enqueue } = this.#port
    for (const ahead of aheadByTry) {
      const reading = new Reading(records, subjectsOf(change)[0] as string)
      this.#readings.add(reading)
      try {
        const draft = new Draft(reading, clock.now(), incarnations)
        const notes = newNotes(position() + ahead, change)
        await derive(draft, notes, change, limits)
        const encoded = await encode(database, reading, draft)
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
        this.#readings.delete(reading)
      }
    }
    enqueue({ change, resolve, reject, isForced: true })
  }

  /** Writes what was prepared. To be called by the queue alone. */
  async write({ resolve, reject, change }: Waiting, prepared: PreparedWrite): Promise<void> {
    const { level, retention, clock, position, mark, report } = this.#port
    const { draft, notes, reading, encoded, outdated } = prepared
    try {
      // What was prepared was read before the database was opened again.
      await level.ready()
      this.#readings.delete(reading)
      if (reading.isOutdated || notes.position <= position()) {
        await encoded.batch?.close().catch(() => undefined)
        return outdated()
      }
      const marks = await retention.marks(position(), notes.position, clock.now())
      const [user] = notes.subjects
      const news = [...reading.newer]
        .filter(([id]) => draft.isDirty(id))
        .map(([id, newer]) => ({ id, user: keptUser(withNews(draft.user(id), newer, id === user)) }))
        .map(write => operationOf({ kind: 'user', ...write }))
      const more = [...news, ...marks.operations]
      // Tokens that were issued while it was prepared end with the account; those that were revoked meanwhile stay so.
      if (change.type === 'erase') more.push(revocation(change.user, clock.now()))
      await level.write(encoded, more, { commits: [notes], last: notes.position })
      await mark(marks)
    } catch (error) {
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

function revocation(id: string, atMs: number): Operation {
  return operationOf({ kind: 'revocation', id, atMs })
}
