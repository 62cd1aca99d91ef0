import type { CommitNotes } from '../../relations/draft.ts'
import type { Commit } from '../../relations/store.ts'
import type { CommitListeners } from '../commit-listeners.ts'
import { decodeCommits } from './commit-codec.ts'
import type { Database, Statement } from './database.ts'

/** A batch in the log. */
interface LogRow {
  first: number
  last: number
  batch: string
  commits: Uint8Array
}

/** A batch of this node: what its listeners are told of it is in memory. */
export interface OwnBatch {
  commits: CommitNotes[]
  /** Its commits have been reported. */
  reported(): void
  /** Whether it was written is not known, and never will be. */
  lost(): void
}

/** As many batches as are read from the log at once. */
const mostRows = 200

const logAfter: Statement = {
  name: 'kith-log',
  text: `select h.position as head, l.first, l.last, l.batch::text, l.commits from head h
    left join lateral (select * from log where last > $1 order by last limit ${mostRows}) l on true order by l.last`,
}

export interface ReportsOptions {
  database: Database
  listeners: CommitListeners
  /** Of the last commit that counts as reported. */
  position: number
  /** Milliseconds, by a clock that is never set. */
  elapsed(): number
  /** Called before the log is read: what it says counts for the run of the database that is open now. */
  prepare(): Promise<void>
  /** The history is not the one that was reported: all that was handed over since some commit may be wrong. */
  lost(): void
}

/**
 * Reports the commits of all nodes to this node's listeners, in their one order. The log is the truth: a batch becomes visible
 * when the lock on the head is released, so the rows that one statement sees are complete up to the last of them.
 */
export class Reports {
  readonly #options: ReportsOptions
  #position: number
  readonly #own: Map<string, OwnBatch> = new Map()
  /** Batches of this node that were written, and need not be read. */
  #written: LogRow[] = []
  #waiting: (() => void)[] = []
  /** Counts how often the history was another. */
  #falls = 0
  #isAsked = false
  #running: Promise<void> | undefined
  #failure: unknown
  #isClosed = false
  /** When the log last had nothing beyond what is reported by now. */
  #caughtUpAtMs: number

  constructor(options: ReportsOptions) {
    this.#options = options
    this.#caughtUpAtMs = options.elapsed()
    this.#position = options.position
  }

  /** The position of the last commit that was reported. */
  get position(): number {
    return this.#position
  }

  /** How long ago all that there was to report had been reported. */
  get lagMs(): number {
    return this.#options.elapsed() - this.#caughtUpAtMs
  }

  /** Why the log could not be read the last time, if it could not. */
  get failure(): unknown {
    return this.#failure
  }

  /** A batch of this node is about to be written. */
  expect(batch: string, own: OwnBatch): void {
    this.#own.set(batch, own)
  }

  /** A batch of this node was written. */
  written(batch: string, last: number): void {
    const own = this.#own.get(batch)
    // It was found in the log before its answer came.
    if (!own || last <= this.#position) return
    this.#written.push({ first: last - own.commits.length + 1, last, batch, commits: new Uint8Array() })
    this.look()
  }

  /** A batch of this node was not written, and will not be. */
  forget(batch: string): void {
    this.#own.delete(batch)
  }

  /** Resolves when this position has been reported, or is lost; rejects when the log cannot be read. */
  async reached(position: number): Promise<void> {
    const falls = this.#falls
    while (this.#position < position && !this.#isClosed && this.#falls === falls) {
      this.look()
      await new Promise<void>(resolve => this.#waiting.push(resolve))
      if (this.#failure !== undefined) throw this.#failure
    }
  }

  /** There may be something new in the log. */
  look(): void {
    if (this.#isClosed) return
    this.#isAsked = true
    this.#running ??= this.#run()
  }

  /** Nothing is reported after this resolves. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      while (this.#isAsked && !this.#isClosed) {
        this.#isAsked = false
        await this.#reportNew()
      }
      this.#failure = undefined
    } catch (error) {
      // The next look tries again.
      this.#failure = error
    } finally {
      this.#running = undefined
      for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }

  async #reportNew(): Promise<void> {
    const { elapsed, prepare } = this.#options
    await prepare()
    const beganMs = elapsed()
    const written = this.#written.splice(0)
    const isNext = written.every(({ first }, index) => first === (written[index - 1]?.last ?? this.#position) + 1)
    if (written.length > 0 && isNext) {
      // The last of them was the head when it was written.
      await this.#reportEach(written)
      this.#caughtUpAtMs = beganMs
      return
    }
    const rows = await this.#options.database.rows<LogRow & { head: number; last: number | null }>({
      ...logAfter,
      values: [this.#position],
    })
    const [first] = rows
    if (!first) throw new Error('the database has no head')
    if (first.last === null) {
      if (first.head !== this.#position) return this.#fall(first.head)
      this.#caughtUpAtMs = beganMs
      return
    }
    if (first.first !== this.#position + 1) return this.#fall(first.head)
    const isPart = rows.length === mostRows
    if (isPart) this.#isAsked = true
    await this.#reportEach(rows)
    if (!isPart) this.#caughtUpAtMs = beganMs
  }

  #fall(head: number): void {
    this.#position = head
    this.#falls++
    this.#written = []
    const own = [...this.#own.values()]
    this.#own.clear()
    for (const { lost } of own) lost()
    this.#options.lost()
  }

  async #reportEach(rows: readonly LogRow[]): Promise<void> {
    const { listeners } = this.#options
    for (let left = rows; left.length > 0; ) {
      await listeners.announce()
      const awaited = listeners.firstAwaited()
      const stop = left.findIndex(({ last }) => awaited !== undefined && last >= awaited)
      const some = stop < 0 ? left : left.slice(0, stop + 1)
      left = left.slice(some.length)
      this.#report(some)
    }
  }

  #report(rows: readonly LogRow[]): void {
    const own: OwnBatch[] = []
    const commits = rows.flatMap(({ first, batch, commits: bytes }): readonly Commit[] => {
      const known = this.#own.get(batch)
      if (!known) return decodeCommits(bytes, first)
      this.#own.delete(batch)
      own.push(known)
      for (const [index, commit] of known.commits.entries()) commit.position = first + index
      return known.commits
    })
    this.#position = rows.at(-1)?.last ?? this.#position
    this.#options.listeners.committed(commits)
    for (const { reported } of own) reported()
  }
}
