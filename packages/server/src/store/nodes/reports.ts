import type { Commit } from '../../relations/commit.ts'
import type { CommitNotes } from '../../relations/draft.ts'
import type { CommitListeners } from '../commit-listeners.ts'
import { decodeCommits } from './commit-codec.ts'
import { isSameRun } from './runs.ts'
import type { LogRow, SharedDatabase } from './shared-database.ts'

/** A batch of this node. What its listeners receive about it is in memory. */
export interface OwnBatch {
  commits: CommitNotes[]
  /** Its commits have been reported. */
  reported(): void
  /** It is not known whether the batch was written, and never will be. */
  lost(): void
}

export interface ReportsOptions {
  database: SharedDatabase
  listeners: CommitListeners
  /** The position of the last commit that counts as reported. */
  position: number
  /** Milliseconds, by a monotonic clock. */
  elapsed(): number
  /** The history is not the one that was reported, so everything that was handed over after some commit may be wrong. */
  lost(): void
}

/**
 * Reports the commits of all nodes to this node's listeners, in their one order. The log is authoritative: a batch becomes
 * visible when the lock on the head is released, so the rows that one statement sees are complete up to the last of them.
 */
export class Reports {
  readonly #options: ReportsOptions
  #position: number
  /** The run of the database to which the position belongs. */
  #run: Uint8Array
  readonly #own: Map<string, OwnBatch> = new Map()
  /** Batches of this node that were written, and need not be read. */
  #written: LogRow[] = []
  #waiting: (() => void)[] = []
  /** Counts how often the history was lost. */
  #falls = 0
  #isAsked = false
  /** The log itself must be read, because there may be batches of other nodes. */
  #mustRead = false
  #running: Promise<void> | undefined
  #failure: unknown
  #isClosed = false
  /** When the log last contained nothing beyond what is now reported. */
  #caughtUpAtMs: number

  constructor(options: ReportsOptions) {
    this.#options = options
    this.#caughtUpAtMs = options.elapsed()
    this.#position = options.position
    this.#run = options.database.run
  }

  /** The position of the last commit that was reported. */
  get position(): number {
    return this.#position
  }

  /** The run to which the position belongs. */
  get run(): Uint8Array {
    return this.#run
  }

  /** How often the history was lost. */
  get losses(): number {
    return this.#falls
  }

  /** Resolves to the run of the database, when it is known whether the history continues in that run or was lost. */
  async settledRun(): Promise<Uint8Array> {
    const { database } = this.#options
    while (!isSameRun(this.#run, database.run) && !this.#isClosed) await this.#looked()
    return this.#run
  }

  /** The time since everything that there was to report had been reported. */
  get lagMs(): number {
    return this.#options.elapsed() - this.#caughtUpAtMs
  }

  /** Why the last read of the log failed, if it did. */
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
    // The batch was found in the log before the answer to its write arrived.
    if (!own || last <= this.#position) return
    this.#written.push({ first: last - own.commits.length + 1, last, batch, commits: new Uint8Array() })
    this.look()
  }

  /** A batch of this node was not written, and will not be. */
  forget(batch: string): void {
    this.#own.delete(batch)
  }

  /** Resolves when this position has been reported, or is lost. Rejects if the log cannot be read. */
  async reached(position: number): Promise<void> {
    const falls = this.#falls
    while (this.#position < position && !this.#isClosed && this.#falls === falls) {
      await this.#looked()
    }
  }

  /** Resolves when everything that is in the log now has been reported. Rejects if the log cannot be read. */
  async current(): Promise<void> {
    this.#mustRead = true
    await this.#looked()
  }

  /** Resolves when the log has been read. Rejects if it cannot be read, or is no longer read. */
  async #looked(): Promise<void> {
    if (this.#isClosed) throw new Error('the store is closing')
    this.look()
    await new Promise<void>(resolve => this.#waiting.push(resolve))
    if (this.#failure !== undefined) throw this.#failure
  }

  /** There may be something new in the log. */
  look(): void {
    if (this.#isClosed) return
    this.#isAsked = true
    this.#running ??= this.#reportAll()
  }

  /** Nothing is reported after this resolves. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  async #reportAll(): Promise<void> {
    try {
      while (this.#isAsked && !this.#isClosed) {
        this.#isAsked = false
        await this.#reportNew()
      }
      this.#failure = undefined
    } catch (error) {
      // The next read tries again.
      this.#failure = error
    } finally {
      this.#running = undefined
      for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }

  async #reportNew(): Promise<void> {
    const { database, elapsed } = this.#options
    if (!isSameRun(this.#run, database.run) && !(await this.#goesOn())) return
    const beganMs = elapsed()
    const written = this.#written.splice(0)
    const isNext = written.every(({ first }, index) => first === (written[index - 1]?.last ?? this.#position) + 1)
    if (written.length > 0 && isNext) {
      // The last one was the head when it was written.
      await this.#reportEach(written)
      this.#caughtUpAtMs = beganMs
      // Another node may have written since.
      if (this.#mustRead) this.#lookAgain()
      return
    }
    this.#mustRead = false
    const { head, rows, isCut } = await database.logAfter(this.#position)
    // This was read in another run, and it is not known yet whether the history continues in that run.
    if (!isSameRun(this.#run, database.run)) return this.#lookAgain()
    const [first] = rows
    if (first ? first.first !== this.#position + 1 : head !== this.#position) return this.#fall(head)
    if (isCut) this.#lookAgain()
    await this.#reportEach(rows)
    if (!isCut) this.#caughtUpAtMs = beganMs
  }

  #lookAgain(): void {
    this.#isAsked = true
  }

  /** Another run of the database has begun. Returns whether the reported commits are in its history. */
  async #goesOn(): Promise<boolean> {
    const { database } = this.#options
    const { run } = database
    const reach = database.reachOf(this.#run)
    if (reach !== undefined && reach >= this.#position) {
      this.#run = run
      return true
    }
    const { head } = await database.logAfter(this.#position)
    this.#run = run
    this.#fall(head)
    return false
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
