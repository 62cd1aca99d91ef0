import { randomUUID } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { Lease } from '../../relations/lease.ts'
import { leaseMs, type NodeName, type NodeTable } from './node-table.ts'

const renewMs = 500
/** The delay after which a failed renewal is retried. */
const retryMs = 200
/**
 * If a renewal has had no answer for this time, the node checks whether the database has moved to another host, and repeats
 * this check.
 */
const searchMs = 3_000
/** A renewal without an answer for this time has failed. */
const patienceMs = 10_000
/** The same when a lease is returned. It expires automatically. */
const givingBackMs = 1_000

export interface NodeLeaseOptions {
  table: NodeTable
  clock: Clock
  /** The position that was reported last. */
  applied(): number
  /** Resolves when this position has been reported. */
  reached(position: number): Promise<void>
}

/**
 * A node's row in the table of nodes. It is renewed by a commit, so a synchronous standby confirms the renewal, and a primary
 * that was cut off cannot renew it (Gray and Cheriton, "Leases: An Efficient Fault-Tolerant Mechanism", SOSP 1989). The node
 * counts the duration of the lease from the beginning of the renewal, by the larger of two clocks: a monotonic clock stops
 * while a machine is suspended, and the time of day may be set back. Other nodes count by the clock of the database, and longer.
 *
 *   renewed in time    the lease continues
 *   too late           others may have acknowledged changes without this node, so the lease is current again only when it
 *                      has reported everything up to the head after the renewal
 */
export class NodeLease implements Lease {
  readonly #options: NodeLeaseOptions
  #name: NodeName | undefined
  /** When the last renewal began, by both clocks. */
  #began: Moment = never
  #mustJoin = false
  /** Counts the reasons to distrust a renewal in progress. */
  #drops = 0
  #waiting: { resolve: () => void; reject: (error: unknown) => void }[] = []
  #renewing: Promise<void> | undefined
  #cancel: () => void = () => undefined
  #isClosed = false
  #hasSearched = false

  constructor(options: NodeLeaseOptions) {
    this.#options = options
  }

  /** Joins the nodes of the database. Rejects if the database cannot be reached. */
  async join(): Promise<void> {
    await this.#renew().catch((error: unknown) => {
      if (!this.#hasSearched) throw error
      // The first attempt failed, but may have found out where the database is.
      return this.#renew()
    })
    this.#renewLater(renewMs)
  }

  /** The name from the last time that the node joined. */
  get name(): NodeName {
    return this.#name ?? { id: 0, key: '00000000-0000-0000-0000-000000000000' }
  }

  isCurrent(): boolean {
    return this.#elapsedMs() < leaseMs
  }

  async held(): Promise<void> {
    while (!this.isCurrent()) {
      if (this.#isClosed) throw new Error('the store is closing')
      await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    }
  }

  /** Ends the lease immediately, until a renewal that begins later is confirmed. */
  drop(): void {
    this.#drops++
    this.#began = never
    this.#renewLater(0)
  }

  /** This node has not applied what it announced. It leaves the nodes, and joins again. */
  leave(): void {
    this.#mustJoin = true
    this.drop()
  }

  /** Returns the lease: nothing is handed over any more, and no other node waits for this one. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#began = never
    this.#cancel()
    await this.#renewing
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('the store is closing'))
    await this.#within(givingBackMs, () => this.#options.table.leave(this.name)).catch(() => undefined)
  }

  #renewLater(delayMs: number): void {
    if (this.#isClosed || this.#renewing) return
    this.#cancel()
    this.#cancel = this.#options.clock.after(delayMs, () => {
      const began = this.#now()
      const drops = this.#drops
      this.#renewing = this.#renew()
        .then(
          () => (this.#drops === drops ? Math.max(0, renewMs - this.#since(began)) : 0),
          () => retryMs,
        )
        .then(nextMs => {
          this.#renewing = undefined
          this.#renewLater(nextMs)
        })
    })
  }

  async #renew(): Promise<void> {
    const began = this.#now()
    const drops = this.#drops
    const isContinued = await this.#within(patienceMs, () => this.#searching(() => this.#write()))
    // After the end of the previous lease, changes may have been acknowledged without this node. The head after the renewal
    // includes them.
    if (!isContinued || !this.isCurrent()) {
      this.#began = never
      await this.#catchUp()
    }
    if (this.#isClosed || this.#drops !== drops) return
    this.#began = began
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  /** A primary that was cut off accepts a write, but no standby confirms it. */
  async #searching<T>(work: () => Promise<T>): Promise<T> {
    const { table, clock } = this.#options
    const stop = clock.every(searchMs, () => {
      this.#hasSearched = true
      void table.lookElsewhere().catch(() => undefined)
    })
    try {
      return await work()
    } finally {
      stop()
    }
  }

  /** Writes the row. Returns whether the lease had not expired by the clock of the database. */
  async #write(): Promise<boolean> {
    const { table, applied } = this.#options
    if (this.#name && !this.#mustJoin && (await table.renew(this.#name, applied()))) return true
    this.#mustJoin = false
    this.#name = await table.join(this.#name?.id, randomUUID(), applied())
    return false
  }

  async #catchUp(): Promise<void> {
    const { table, reached } = this.#options
    await reached(await this.#within(patienceMs, () => table.head()))
  }

  async #within<T>(mostMs: number, work: () => Promise<T>): Promise<T> {
    let cancel = (): void => undefined
    const late = new Promise<never>((_, reject) => {
      cancel = this.#options.clock.after(mostMs, () => reject(new Error('the database does not answer')))
    })
    try {
      return await Promise.race([work(), late])
    } finally {
      cancel()
    }
  }

  #now(): Moment {
    const { clock } = this.#options
    return { monotonicMs: clock.elapsed(), wallMs: clock.now() }
  }

  #elapsedMs(): number {
    return this.#since(this.#began)
  }

  #since({ monotonicMs, wallMs }: Moment): number {
    const now = this.#now()
    return Math.max(now.monotonicMs - monotonicMs, now.wallMs - wallMs)
  }
}

interface Moment {
  monotonicMs: number
  wallMs: number
}

const never: Moment = { monotonicMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY }
