import { randomUUID } from 'node:crypto'
import type { Limits } from '@kith/shared'
import type { Clock } from '../../clock.ts'
import { derive } from '../../relations/derive.ts'
import { type CommitNotes, Draft } from '../../relations/draft.ts'
import type { Incarnations } from '../../relations/incarnations.ts'
import { LostHistory } from '../../relations/outdated.ts'
import { preload } from '../../relations/preload.ts'
import { RecordedReads } from '../../relations/recorded-reads.ts'
import type { Change, Commit } from '../../relations/store.ts'
import { newNotes } from '../commit-notes.ts'
import type { NodeLease } from './node-lease.ts'
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

/** As often as a batch is derived for a node that loses its lease again and again. */
const mostFences = 3
/** How long changes wait for the lease of this node. */
const leasePatienceMs = 10_000

/** No standby has confirmed the change: it is not known whether it will stay. */
class Unconfirmed extends Error {
  constructor() {
    super('no standby has confirmed a change: it is not known whether it will stay')
  }
}

/** A change of a node that others do not count with: nothing of it was written. */
class FencedError extends Error {
  constructor() {
    super('this node has lost its lease: nothing of the change was written')
  }
}

interface Waiting {
  change: Change
  /** How often the history had been lost when it came. */
  losses: number
  resolve: (commit: Commit) => void
  reject: (error: unknown) => void
}

/** `conflict`: what was read has been written meanwhile. `fenced`: the node has lost its lease. Nothing was written then. */
type Result = 'written' | 'conflict' | 'fenced'

export interface CommitsOptions {
  database: SharedDatabase
  reports: Reports
  lease: NodeLease
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
      this.#queue.push({ change, losses: this.#options.reports.losses, resolve, reject })
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
      if (group.length > 1 && !this.#isOfAll(error)) for (const one of group) await this.#writeGroup([one])
      else for (const { reject } of group) reject(error)
    }
  }

  #isOfAll(error: unknown): boolean {
    const isOfNode = error instanceof FencedError || error instanceof Unconfirmed
    return isOfNode || this.#options.database.isConnectionLost(error)
  }

  async #writeBatch(group: readonly Waiting[]): Promise<void> {
    for (let attempt = 0, fences = 0; attempt < mostConflicts; ) {
      await this.#untilLeased()
      const result = await this.#tryBatch(group, batch => this.#send(batch))
      if (result === 'written') return
      if (result === 'conflict') {
        this.conflicts++
        attempt++
      } else if (++fences === mostFences) throw new FencedError()
    }
    // Others have always been faster: no other node can write meanwhile.
    await this.#options.database.alone(async write => {
      const result = await this.#tryBatch(group, batch => this.#untilConfirmed(() => write(batch)))
      if (result === 'fenced') throw new FencedError()
      if (result === 'conflict') throw new Error('a batch conflicted with another although none could be written')
    })
  }

  async #tryBatch(group: readonly Waiting[], write: WriteBatch): Promise<Result> {
    const { database, reports, lease } = this.#options
    const { batch, written } = await this.#derive(group)
    if (written.length === 0) return 'written'
    const { id, commits } = batch
    // It may be found in the log before a standby has confirmed it.
    let isReported = false
    let isConfirmed = false
    const answer = (): void => {
      if (!isReported || !isConfirmed) return
      for (const [index, { resolve }] of written.entries()) resolve(commits[index] as Commit)
    }
    reports.expect(id, {
      commits,
      reported: () => {
        isReported = true
        answer()
      },
      lost: () => {
        for (const { reject } of written) reject(new LostHistory())
      },
    })
    try {
      const { status, last } = await write(batch)
      if (status === 'written') {
        this.#lastWritten = last
        isConfirmed = true
        answer()
        reports.written(id, last)
        database.say()
        return 'written'
      }
      reports.forget(id)
      if (status === 'fenced') {
        lease.drop()
        return 'fenced'
      }
      if (status === 'conflict' || status === 'too-old') return 'conflict'
    } catch (error) {
      reports.forget(id)
      throw error
    }
    reports.look()
    throw new LostHistory()
  }

  async #derive(group: readonly Waiting[]): Promise<{ batch: Batch; written: readonly Waiting[] }> {
    const { database, reports, clock, incarnations, limits, lease } = this.#options
    const run = await reports.settledRun()
    const records = database.records()
    const reads = new RecordedReads(records)
    const draft = new Draft(reads, clock.now(), incarnations, { isAwaited: true })
    const written = await current(this.#ofThisHistory(group), records, reads)
    const changes = written.map(({ change }) => change)
    await preload(draft, changes)
    const commits: CommitNotes[] = []
    for (const change of changes) {
      const notes = newNotes(provisional + commits.length + 1, change)
      await derive(draft, notes, change, limits)
      commits.push(notes)
    }
    const { knownUpTo } = records
    const batch = { node: lease.name, id: randomUUID(), changes, commits, draft, knownUpTo, run, reads: reads.read }
    return { batch, written }
  }

  /** Those that were made of what is in the history. The others are rejected. */
  #ofThisHistory(group: readonly Waiting[]): readonly Waiting[] {
    const { losses } = this.#options.reports
    const isLost = (one: Waiting): boolean => one.losses !== losses
    for (const one of group) if (isLost(one)) one.reject(new LostHistory())
    return group.filter(one => !isLost(one))
  }

  /** While the connection is lost the outcome is unknown: the same batch is sent again, and written once. */
  async #send(batch: Batch): Promise<Outcome> {
    const { database } = this.#options
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#untilConfirmed(() => database.write(batch))
      } catch (error) {
        if (!database.isConnectionLost(error) || attempt === attempts || this.#isClosing) throw error
        await this.#pause()
      }
    }
  }

  /** What is visible and was confirmed by no standby may be lost: nothing more is handed over until a commit is confirmed. */
  async #untilConfirmed(write: () => Promise<Outcome>): Promise<Outcome> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await write()
      if (outcome.status !== 'written' || outcome.isConfirmed) return outcome
      this.#options.lease.drop()
      if (attempt === attempts || this.#isClosing) throw new Unconfirmed()
      await this.#pause()
    }
  }

  #pause(): Promise<void> {
    return new Promise(resolve => this.#options.clock.after(attemptMs, resolve))
  }

  async #untilLeased(): Promise<void> {
    const { lease, clock } = this.#options
    if (lease.isCurrent()) return
    let cancel = (): void => undefined
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(leasePatienceMs, () => reject(new FencedError()))
    })
    try {
      await Promise.race([lease.held(), late])
    } finally {
      cancel()
    }
  }
}
