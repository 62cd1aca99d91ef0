import { randomUUID } from 'node:crypto'
import type { Limits } from '@kith/shared'
import type { Clock, LeaseClock } from '../../clock.ts'
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

/** As often as a batch is derived without a lock: others wrote what it read each time. */
const mostConflicts = 3
/** The same for a change that is derived beside the queue: it takes long, so another is more often faster. */
const mostConflictsBeside = 6
/** The time between two attempts to send a batch of unknown outcome. */
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

/** A change that waits to be written. */
export interface Waiting {
  change: Change
  /** How often the history had been lost when it came. */
  losses: number
  resolve: (commit: Commit) => void
  reject: (error: unknown) => void
}

/** `conflict`: what was read has been written meanwhile. `fenced`: the node has lost its lease. Nothing was written then. */
type Result = 'written' | 'conflict' | 'fenced'

/** How a batch is derived. */
export interface Derivation {
  /** Of a batch that concerns more, the derivation ends with `TooLarge`. */
  mostRecords: number
  /** It is one change that no other commit waits for. */
  isBeside: boolean
}

export interface BatchWriterOptions {
  database: SharedDatabase
  reports: Reports
  lease: NodeLease
  incarnations: Incarnations
  limits: Limits
  clock: Clock
  /** Measures how long a batch is sent again. The database keeps the log by a clock of its own. */
  leaseClock: LeaseClock
  /** Absent where no events are written. */
  room?: EventRoom | undefined
}

/**
 * Derives a batch without a lock, and has it written by a function of the database that finds out whether another node wrote what
 * was read: again, if one has.
 */
export class BatchWriter {
  readonly #options: BatchWriterOptions
  #isClosing = false
  /** The position of the last commit that was written. */
  lastWritten = 0
  /** Batches that were derived again, since another node wrote what was read. */
  conflicts = 0

  constructor(options: BatchWriterOptions) {
    this.#options = options
  }

  /** What is tried again from here on fails. */
  close(): void {
    this.#isClosing = true
  }

  /** Whether a failure is that of the node, whatever the changes are. */
  isOfNode(error: unknown): boolean {
    const isOfNode = error instanceof FencedError || error instanceof Unconfirmed
    return isOfNode || this.#options.database.isConnectionLost(error)
  }

  /** Resolves when all of the group are written, and otherwise answered or rejected by themselves. */
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
    // Others have always been faster: no other node can write meanwhile. So all commits wait for it, whatever it is.
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
    // At the same time, since all wait for the batch: what is read ahead for those that are outdated is read in vain.
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

  /** Those that were made of what is in the history. The others are rejected. */
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
   * Sends the same batch until its outcome is known; it is written once. The outcome is unknown after an error of which
   * `isUnknown` says so, and while no standby has confirmed what was written: that is visible, and may be lost. Nothing more is
   * handed over then until a commit is confirmed.
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
        // After a long pause: an earlier attempt may have written it, and it may have left the log.
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
