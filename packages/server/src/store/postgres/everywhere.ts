import type { LeaseClock } from '../../clock.ts'
import { tookUnconfirmed } from './connect.ts'
import type { Database } from './database.ts'
import { leaseMs, type NodeLease } from './lease.ts'
import { keyOfRun } from './runs.ts'

/** By so much the clocks of two machines may differ in the time that a lease lasts. */
const marginMs = 250
/** How often the table is looked at when no node says that it has applied something. */
const lookMs = 50
/** A change waits no longer: it is on disk, and its device finds out how it went when it comes back. */
const mostMs = 15_000

/**
 * What the other nodes have applied, and whether a lease is over. After a promotion leases count by another clock, so for the
 * time of a lease nothing is known. What is beyond the head is of a history that was lost.
 */
const standing = {
  name: 'kith-standing',
  text: `select
    exists (select from run where key = (${keyOfRun}) and at < clock_timestamp() - interval '${leaseMs + marginMs} milliseconds')
      as settled,
    (select min(case when applied > h.position then 0 else applied end) from node, head h where id <> $1) as applied,
    exists (select from node where id <> $1 and lease_until < clock_timestamp() - interval '${marginMs} milliseconds') as has_gone`,
}

/** By a commit that a standby confirms: a primary that was cut off can't, and the node may have its lease from another. */
const removeGone = {
  name: 'kith-remove-gone',
  text: `delete from node where id <> $1 and lease_until < clock_timestamp() - interval '${marginMs} milliseconds'`,
}

interface Standing {
  settled: boolean
  applied: number | null
  has_gone: boolean
}

export interface EverywhereOptions {
  database: Database
  lease: NodeLease
  clock: LeaseClock
  /** Resolves when this node has reported the position. */
  reached(position: number): Promise<void>
}

interface Waiting {
  position: number
  beganMs: number
  resolve: () => void
  reject: (error: unknown) => void
}

/** Finds out which positions all nodes have applied that may hand something over. */
export class Everywhere {
  readonly #options: EverywhereOptions
  /** Up to here all have applied: a node that joins later has as well, before its lease is current. */
  #position = 0
  #waiting: Waiting[] = []
  #isLooking = false
  #isAsked = false
  #cancel: () => void = () => undefined
  #isClosed = false

  constructor(options: EverywhereOptions) {
    this.#options = options
  }

  /** @see Store.whenEverywhere */
  async reached(position: number): Promise<void> {
    await this.#options.reached(position)
    if (position <= this.#position) return
    if (this.#isClosed) throw new Error('the store is closing')
    return new Promise((resolve, reject) => {
      this.#waiting.push({ position, beganMs: this.#options.clock.elapsed(), resolve, reject })
      this.look()
    })
  }

  /** A node may have applied something. */
  look(): void {
    this.#isAsked = true
    if (this.#waiting.length === 0 || this.#isLooking || this.#isClosed) return
    this.#isLooking = true
    this.#cancel()
    void this.#run()
  }

  /** The history was lost: its positions mean nothing. */
  forget(): void {
    this.#position = 0
  }

  /** What still waits is rejected. */
  close(): void {
    this.#isClosed = true
    this.#cancel()
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('the store is closing'))
  }

  async #run(): Promise<void> {
    let failure: unknown
    while (this.#isAsked && this.#waiting.length > 0) {
      this.#isAsked = false
      failure = await this.#lookOnce().then(
        () => undefined,
        (error: unknown) => error,
      )
    }
    this.#isLooking = false
    this.#settle(failure)
    if (this.#waiting.length > 0 && !this.#isClosed) {
      this.#cancel = this.#options.clock.after(lookMs, () => this.look())
    }
  }

  async #lookOnce(): Promise<void> {
    const before = this.#waiting.reduce((most, { position }) => Math.max(most, position), 0)
    let found = await this.#read()
    if (found.settled && found.has_gone && found.applied !== null && found.applied < before) {
      await this.#removeGone()
      found = await this.#read()
    }
    if (!found.settled) return
    // Without another node what is waited for was reported here, and that is all.
    this.#position = Math.max(this.#position, Math.min(found.applied ?? before, before))
  }

  async #read(): Promise<Standing> {
    const { database, lease } = this.#options
    const [found] = await database.rows<Standing>({ ...standing, values: [lease.name.id] })
    return found as Standing
  }

  async #removeGone(): Promise<void> {
    const { database, lease } = this.#options
    await database.with(async client => {
      await database.on(client, { ...removeGone, values: [lease.name.id] })
      if (tookUnconfirmed(client)) throw new Error('no standby has confirmed that a node is gone')
    })
  }

  #settle(failure: unknown): void {
    const nowMs = this.#options.clock.elapsed()
    const left: Waiting[] = []
    for (const one of this.#waiting) {
      if (one.position <= this.#position) one.resolve()
      else if (nowMs - one.beganMs < mostMs) left.push(one)
      else {
        const cause = failure === undefined ? {} : { cause: failure }
        one.reject(
          new Error('not all nodes have applied a change in time, and it is not known that they are gone', cause),
        )
      }
    }
    this.#waiting = left
  }
}
