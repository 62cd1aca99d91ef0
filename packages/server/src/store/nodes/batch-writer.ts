import { randomUUID } from 'node:crypto'
import type { Limits } from '@kith/shared'
import type { Clock } from '../../clock.ts'
import type { Change } from '../../relations/changes.ts'
import type { Commit } from '../../relations/commit.ts'
import { derive } from '../../relations/derive.ts'
import { type CommitNotes, Draft } from '../../relations/draft.ts'
import type { EventRoom } from '../../relations/event-room.ts'
import type { Incarnations } from '../../relations/incarnations.ts'
import { LostHistory } from '../../relations/outdated.ts'
import { preload } from '../../relations/preload.ts'
import { othersTurn, turnForSlice } from '../../turns.ts'
import { newNotes, subjectsOf } from '../commit-notes.ts'
import { BatchReads } from './batch-reads.ts'
import type { NodeLease } from './node-lease.ts'
import { provisional } from './provisional.ts'
import { Repetition } from './repetition.ts'
import type { Reports } from './reports.ts'
import type { Batch, Outcome, SharedDatabase, WriteBatch } from './shared-database.ts'
import { current } from './versions.ts'

/** The number of times that a batch is derived without a lock, if others write what it read each time. */
const mostConflicts = 3
/** The same for a change that is derived beside the queue. It takes long, so it conflicts more often. */
const mostConflictsBeside = 6
/** The time between two attempts to send a batch of unknown outcome. */
const attemptMs = 200

/** The number of times that a batch is derived for a node that loses its lease repeatedly. */
const mostFences = 3
/** How long changes wait for the lease of this node. */
const leasePatienceMs = 10_000

/** No standby has confirmed the change, so it may still be lost. */
class Unconfirmed extends Error {
  constructor() {
    super('no standby has confirmed a change: it is not known whether it will stay')
  }
}

/** A change of a node that other nodes no longer wait for. Nothing of it was written. */
class FencedError extends Error {
  constructor() {
    super('this node has lost its lease: nothing of the change was written')
  }
}

/** A change that waits to be written. */
export interface Waiting {
  change: Change
  /** How often the history had been lost when the change arrived. */
  losses: number
  resolve: (commit: Commit) => void
  reject: (error: unknown) => void
}

/**
 * `conflict`: another batch has written what was read. `fenced`: the node has lost its lease. In both cases nothing was
 * written.
 */
type Result = 'written' | 'conflict' | 'fenced'

/** How a batch must be derived. */
export interface Derivation {
  /** If a batch reads more records, its derivation ends with `TooLarge`. */
  mostRecords: number
  /** The batch is one change for which no other commit waits. */
  isBeside: boolean
}

export interface BatchWriterOptions {
  database: SharedDatabase
  reports: Reports
  lease: NodeLease
  incarnations: Incarnations
  limits: Limits
  clock: Clock
  /** Measures how long a batch is sent again. The database trims the log by its own clock. */
  leaseClock: Clock
  /** Absent if no events are written. */
  room?: EventRoom | undefined
}

/**
 * Derives a batch without a lock, and writes it by a function of the database, which detects whether another node has written
 * what was read. If so, the batch is derived again.
 */
export class BatchWriter {
  readonly #options: BatchWriterOptions
  #isClosing = false
  /** The position of the last commit that was written. */
  lastWritten = 0
  /** The number of batches that were derived again because another node wrote something that they had read. */
  conflicts = 0

  constructor(options: BatchWriterOptions) {
    this.#options = options
  }

  /** From now on, retries fail. */
  close(): void {
    this.#isClosing = true
  }

  /** Whether a failure is caused by the node, whatever the changes are. */
  isOfNode(error: unknown): boolean {
    const isOfNode = error instanceof FencedError || error instanceof Unconfirmed
    return isOfNode || this.#options.database.isConnectionLost(error)
  }

  /** Resolves when each change of the group is written, or has been resolved or rejected individually. */
  async write(group: readonly Waiting[], how: Derivation): Promise<void> {
    const most = how.isBeside ? mostConflictsBeside : mostConflicts
    for (let attempt = 0, fences = 0; attempt < most; ) {
      await this.#untilLeased()
      const result = await this.#tryBatch(group, how, batch => this.#send(batch))
      if (result === 'written') return
      if (result === 'conflict') {
        this.conflicts++
        attempt++
      } else if (++fences === mostFences) throw new FencedError()
    }
    // Other batches were faster each time. Now no other node can write meanwhile, so all commits wait for this batch.
    const awaited = { ...how, isBeside: false }
    await this.#options.database.alone(async write => {
      const result = await this.#tryBatch(group, awaited, batch => this.#untilKnown(() => write(batch)))
      if (result === 'fenced') throw new FencedError()
      if (result === 'conflict') throw new Error('a batch conflicted with another although none could be written')
    })
  }

  async #tryBatch(group: readonly Waiting[], how: Derivation, write: WriteBatch): Promise<Result> {
    const { database, reports, lease } = this.#options
    const { batch, written } = await this.#derive(group, how)
    if (written.length === 0) return 'written'
    const { id, commits } = batch
    // The batch may be found in the log before a standby has confirmed it.
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
        this.lastWritten = Math.max(this.lastWritten, last)
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

  async #derive(
    group: readonly Waiting[],
    { mostRecords, isBeside }: Derivation,
  ): Promise<{ batch: Batch; written: readonly Waiting[] }> {
    const { database, reports, clock, incarnations, limits, lease, room } = this.#options
    const run = await reports.settledRun()
    const records = database.records(isBeside ? turnForSlice : othersTurn)
    const subjects = isBeside ? new Set(subjectsOf((group[0] as Waiting).change)) : undefined
    const reads = new BatchReads(records, subjects)
    const draft = new Draft(reads, clock.now(), incarnations, { mostRecords, isAwaited: !isBeside, room })
    const ofThisHistory = this.#ofThisHistory(group)
    // In parallel, because all changes wait for the batch. Reads ahead for outdated changes are wasted.
    const [written] = await Promise.all([
      current(ofThisHistory, records, reads),
      preload(
        draft,
        ofThisHistory.map(({ change }) => change),
      ),
    ])
    const changes = written.map(({ change }) => change)
    const commits: CommitNotes[] = []
    for (const change of changes) {
      const notes = newNotes(provisional + commits.length + 1, change)
      await derive(draft, notes, change, limits)
      commits.push(notes)
    }
    const { knownUpTo } = records
    const made = { changes, commits, draft, subjects, reads: reads.read }
    const batch = { node: lease.name, id: randomUUID(), ...made, knownUpTo, run }
    return { batch, written }
  }

  /** Returns the changes that were made from the present history. The others are rejected. */
  #ofThisHistory(group: readonly Waiting[]): readonly Waiting[] {
    const { losses } = this.#options.reports
    const isLost = (one: Waiting): boolean => one.losses !== losses
    for (const one of group) if (isLost(one)) one.reject(new LostHistory())
    return group.filter(one => !isLost(one))
  }

  #send(batch: Batch): Promise<Outcome> {
    const { database } = this.#options
    return this.#untilKnown(
      () => database.write(batch),
      error => database.isConnectionLost(error),
    )
  }

  /**
   * Sends the same batch until its outcome is known. It is written once. The outcome is unknown after an error for which
   * `isUnknown` returns true, and while no standby has confirmed the write: the write is then visible, and may be lost. In that
   * case nothing more is handed over until a commit is confirmed.
   */
  async #untilKnown(write: () => Promise<Outcome>, isUnknown = (_: unknown) => false): Promise<Outcome> {
    const { lease, leaseClock } = this.#options
    const repetition = new Repetition(leaseClock)
    for (let unknown: unknown; ; ) {
      let outcome: Outcome | undefined
      try {
        outcome = await write()
      } catch (error) {
        // An earlier attempt may have written the batch, so its outcome stays unknown.
        if (!isUnknown(error)) throw unknown ?? error
        unknown = error
      }
      if (outcome?.status === 'written') {
        if (outcome.isConfirmed) return outcome
        lease.drop()
        unknown = new Unconfirmed()
      } else if (outcome) {
        // After a long time: an earlier attempt may have written the batch, and its row may have been trimmed from the log.
        if (unknown && repetition.isLate()) throw unknown
        return outcome
      }
      if (this.#isClosing || !repetition.takeAttempt()) throw unknown
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
