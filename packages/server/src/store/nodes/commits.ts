import type { Change } from '../../relations/changes.ts'
import type { Commit } from '../../relations/commit.ts'
import { TooLarge } from '../../relations/draft.ts'
import { leastRecords } from '../commit-notes.ts'
import { BatchWriter, type BatchWriterOptions, type Waiting } from './batch-writer.ts'

/** Changes that share one transaction. */
const groupSize = 256
/** As many records as most changes look at. */
const recordsOfMost = 8

/** Where a change begins to be large. A record is one that is looked at. */
export interface NodeSizes {
  /** As many records as one change has while all others of the node wait; a larger one is derived beside the queue. */
  readonly recordsInQueue: number
  /** As many records as a change of medium size has: it does not wait until the large ones are written. */
  readonly recordsOfMedium: number
}

const nodeSizes: NodeSizes = { recordsInQueue: 500, recordsOfMedium: 4_000 }

/** Large changes, one after the other. */
interface Lane {
  /** A change that concerns more goes to another lane. */
  readonly mostRecords: number
  /** Ends with the change that was begun last. */
  last: Promise<void>
}

export interface CommitsOptions extends BatchWriterOptions {
  sizes?: NodeSizes | undefined
}

/**
 * Takes this node's changes. What arrives while one batch is written is the next batch, as in `level/group-commit.ts`. A change
 * that concerns thousands of relations is derived beside the queue, so that no other change of the node waits for that.
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

  /** Batches that were derived again, since another node wrote what was read. */
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

  /** Takes no more changes. Resolves when those that were taken have been reported or have failed. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#writer.close()
    while (this.#running || this.#beside.size > 0) await Promise.all([this.#running, ...this.#beside])
    // Those that cannot be reported are on disk, and other nodes report them.
    await this.#options.reports.reached(this.#writer.lastWritten).catch(() => undefined)
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#writeGroup(this.#queue.splice(0, groupSize))
    // No `await` between the last look at the queue and this reset, so a later change starts a new loop.
    this.#running = undefined
  }

  /** One batch for the group; if it can't be, each change alone, so that one can't fail another. */
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
