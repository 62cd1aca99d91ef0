import { randomUUID } from 'node:crypto'
import type { Limits } from '@kith/shared'
import type { Clock } from '../../clock.ts'
import { derive } from '../../relations/derive.ts'
import { type CommitNotes, Draft } from '../../relations/draft.ts'
import type { Incarnations } from '../../relations/incarnations.ts'
import { preload } from '../../relations/preload.ts'
import { RecordedReads } from '../../relations/recorded-reads.ts'
import type { Change, Commit } from '../../relations/store.ts'
import { newNotes } from '../commit-notes.ts'
import { provisional } from './provisional.ts'
import type { Reports } from './reports.ts'
import type { Batch, Outcome, SharedDatabase, WriteBatch } from './shared-database.ts'
import { current } from './versions.ts'

/** Changes that share one transaction. */
const groupSize = 256
/** As often as a batch is derived without a lock: others wrote what it read each time. */
const mostConflicts = 3
/** How long a batch whose outcome is unknown is sent again, in attempts and in the time between two. */
const attempts = 50
const attemptMs = 200

const historyLost = 'the history of the database is not the one that this node knows'

interface Waiting {
  change: Change
  resolve: (commit: Commit) => void
  reject: (error: unknown) => void
}

export interface CommitsOptions {
  database: SharedDatabase
  reports: Reports
  incarnations: Incarnations
  limits: Limits
  clock: Clock
}

/**
 * Takes this node's changes. What arrives while one batch is written is the next batch, as in `level/group-commit.ts`. A batch is
 * derived without a lock, and written by a function of the database that finds out whether another node wrote what was read.
 */
export class Commits {
  readonly #options: CommitsOptions
  #queue: Waiting[] = []
  #running: Promise<void> | undefined
  #lastWritten = 0
  #isClosing = false
  /** Batches that were derived again, since another node wrote what was read. */
  conflicts = 0

  constructor(options: CommitsOptions) {
    this.#options = options
  }

  commit(change: Change): Promise<Commit> {
    if (this.#isClosing) return Promise.reject(new Error('the store is closing'))
    return new Promise((resolve, reject) => {
      this.#queue.push({ change, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Takes no more changes. Resolves when those that were taken have been reported or have failed. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#running
    // Those that cannot be reported are on disk, and other nodes report them.
    await this.#options.reports.reached(this.#lastWritten).catch(() => undefined)
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#writeGroup(this.#queue.splice(0, groupSize))
    // No `await` between the last look at the queue and this reset, so a later change starts a new loop.
    this.#running = undefined
  }

  /** One batch for the group; if it can't be, each change alone, so that one can't fail another. */
  async #writeGroup(group: Waiting[]): Promise<void> {
    try {
      await this.#writeBatch(group)
    } catch (error) {
      if (group.length > 1 && !this.#options.database.isConnectionLost(error))
        for (const one of group) await this.#writeGroup([one])
      else for (const { reject } of group) reject(error)
    }
  }

  async #writeBatch(group: readonly Waiting[]): Promise<void> {
    for (let attempt = 0; attempt < mostConflicts; attempt++) {
      if (await this.#tryBatch(group, batch => this.#send(batch))) return
      this.conflicts++
    }
    // Others have always been faster: no other node can write meanwhile.
    await this.#options.database.alone(async write => {
      const isWritten = await this.#tryBatch(group, write)
      if (!isWritten) throw new Error('a batch conflicted with another although none could be written')
    })
  }

  /** `false`: what was read has been written meanwhile. */
  async #tryBatch(group: readonly Waiting[], write: WriteBatch): Promise<boolean> {
    const { database, reports } = this.#options
    const { batch, written } = await this.#derive(group)
    if (written.length === 0) return true
    const { id, commits } = batch
    reports.expect(id, {
      commits,
      reported: () => {
        for (const [index, { resolve }] of written.entries()) resolve(commits[index] as Commit)
      },
      lost: () => {
        for (const { reject } of written) reject(new Error(historyLost))
      },
    })
    try {
      const { status, last } = await write(batch)
      if (status === 'written') {
        this.#lastWritten = last
        reports.written(id, last)
        database.say()
        return true
      }
      reports.forget(id)
      if (status === 'conflict' || status === 'too-old') return false
    } catch (error) {
      reports.forget(id)
      throw error
    }
    reports.look()
    throw new Error(historyLost)
  }

  async #derive(group: readonly Waiting[]): Promise<{ batch: Batch; written: readonly Waiting[] }> {
    const { database, clock, incarnations, limits } = this.#options
    const records = database.records()
    const reads = new RecordedReads(records)
    const draft = new Draft(reads, clock.now(), incarnations)
    const written = await current(group, records, reads)
    const changes = written.map(({ change }) => change)
    await preload(draft, changes)
    const commits: CommitNotes[] = []
    for (const change of changes) {
      const notes = newNotes(provisional + commits.length + 1, change)
      await derive(draft, notes, change, limits)
      commits.push(notes)
    }
    const batch = { id: randomUUID(), changes, commits, draft, knownUpTo: records.knownUpTo, reads: reads.read }
    return { batch, written }
  }

  /** While the connection is lost the outcome is unknown: the same batch is sent again, and written once. */
  async #send(batch: Batch): Promise<Outcome> {
    const { database, clock } = this.#options
    for (let attempt = 1; ; attempt++) {
      try {
        return await database.write(batch)
      } catch (error) {
        if (!database.isConnectionLost(error) || attempt === attempts || this.#isClosing) throw error
        await new Promise<void>(resolve => clock.after(attemptMs, resolve))
      }
    }
  }
}
