import type { Change } from '../../relations/changes.ts'
import type { Commit } from '../../relations/commit.ts'
import { TooLarge } from '../../relations/draft.ts'
import { leastRecords } from '../commit-notes.ts'
import { BatchWriter, type BatchWriterOptions, type Waiting } from './batch-writer.ts'

/** The number of changes that may share one transaction. */
const groupSize = 256
/** The number of records that most changes read at most. */
const recordsOfMost = 8

/** The sizes at which a change counts as large. A record is one that is read. */
export interface NodeSizes {
  /**
   * The number of records that one change may read while all others of the node wait. A larger change is derived beside the
   * queue.
   */
  readonly recordsInQueue: number
  /** The number of records of a change of medium size. It does not wait until large changes are written. */
  readonly recordsOfMedium: number
}

const nodeSizes: NodeSizes = { recordsInQueue: 500, recordsOfMedium: 4_000 }

/** Large changes, one after the other. */
interface Lane {
  /** A change that reads more records goes to another lane. */
  readonly mostRecords: number
  /** Resolves when the most recently begun change has ended. */
  last: Promise<void>
}

export interface CommitsOptions extends BatchWriterOptions {
  sizes?: NodeSizes | undefined
}

/**
 * Commits this node's changes. The changes that arrive while one batch is written are the next batch, as in
 * `level/group-commit.ts`. A change that affects thousands of relations is derived beside the queue, so no other change of the
 * node waits for it.
 */
export class Commits {
  readonly #options: CommitsOptions
  readonly #sizes: NodeSizes
  readonly #writer: BatchWriter
  #queue: Waiting[] = []
  #running: Promise<void> | undefined
  readonly #beside: Set<Promise<void>> = new Set()
  readonly #medium: Lane
  readonly #large: Lane = { mostRecords: Number.POSITIVE_INFINITY, last: Promise.resolve() }
  #isClosing = false

  constructor(options: CommitsOptions) {
    this.#options = options
    this.#sizes = options.sizes ?? nodeSizes
    this.#writer = new BatchWriter(options)
    this.#medium = { mostRecords: this.#sizes.recordsOfMedium, last: Promise.resolve() }
  }

  /** The number of batches that were derived again because another node wrote something that they had read. */
  get conflicts(): number {
    return this.#writer.conflicts
  }

  commit(change: Change): Promise<Commit> {
    if (this.#isClosing) return Promise.reject(new Error('the store is closing'))
    return new Promise((resolve, reject) => {
      const one = { change, losses: this.#options.reports.losses, resolve, reject }
      if (leastRecords(change) > this.#sizes.recordsInQueue) return this.#writeBeside(one)
      this.#queue.push(one)
      this.#running ??= this.#run()
    })
  }

  /** Accepts no more changes. Resolves when the accepted ones have been reported or have failed. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#writer.close()
    while (this.#running || this.#beside.size > 0) await Promise.all([this.#running, ...this.#beside])
    // Commits that cannot be reported here are on disk, and other nodes report them.
    await this.#options.reports.reached(this.#writer.lastWritten).catch(() => undefined)
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#writeGroup(this.#queue.splice(0, groupSize))
    // No `await` between the last check of the queue and this reset, so a later change starts a new loop.
    this.#running = undefined
  }

  /** Writes one batch for the group. If that fails, each change is written alone, so that one cannot fail another. */
  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const mostRecords = this.#sizes.recordsInQueue + recordsOfMost * (group.length - 1)
    try {
      await this.#writer.write(group, { mostRecords, isBeside: false })
    } catch (error) {
      const [first] = group as [Waiting]
      if (group.length > 1 && !this.#writer.isOfNode(error)) for (const one of group) await this.#writeGroup([one])
      else if (error instanceof TooLarge) this.#writeBeside(first)
      else for (const { reject } of group) reject(error)
    }
  }

  #writeBeside(one: Waiting): void {
    this.#writeIn(leastRecords(one.change) > this.#medium.mostRecords ? this.#large : this.#medium, one)
  }

  #writeIn(lane: Lane, one: Waiting): void {
    const work = lane.last.then(() => this.#writeAlone(lane, one)).finally(() => this.#beside.delete(work))
    this.#beside.add(work)
    lane.last = work
  }

  async #writeAlone({ mostRecords }: Lane, one: Waiting): Promise<void> {
    try {
      await this.#writer.write([one], { mostRecords, isBeside: true })
    } catch (error) {
      if (error instanceof TooLarge) this.#writeIn(this.#large, one)
      else one.reject(error)
    }
  }
}
