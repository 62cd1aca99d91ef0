import type { Clock } from '../../clock.ts'
import type { NodeLease } from './node-lease.ts'
import type { NodeTable } from './node-table.ts'

/** How often the table is read when no node announces that it has applied something. */
const lookMs = 50
/** A change waits no longer than this. It is on disk, and its device learns the outcome when it reconnects. */
const mostMs = 15_000

export interface EverywhereOptions {
  table: NodeTable
  lease: NodeLease
  clock: Clock
  /** Resolves when this node has reported the position. */
  reached(position: number): Promise<void>
}

interface Waiting {
  position: number
  beganMs: number
  resolve: () => void
  reject: (error: unknown) => void
}

/** Determines which positions have been applied by all nodes that may hand something over. */
export class Everywhere {
  readonly #options: EverywhereOptions
  /** All nodes have applied the commits up to here. A node that joins later applies them before its lease is current. */
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

  /** The history was lost, so its positions are meaningless. */
  forget(): void {
    this.#position = 0
  }

  /** Rejects everything that still waits. */
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
    const { table, lease } = this.#options
    const before = this.#waiting.reduce((most, { position }) => Math.max(most, position), 0)
    let found = await table.standing(lease.name.id)
    if (found.isSettled && found.hasGone && found.applied !== undefined && found.applied < before) {
      await table.removeGone(lease.name.id)
      found = await table.standing(lease.name.id)
    }
    if (!found.isSettled) return
    // If there is no other node, the position is reached, because this node has reported it.
    this.#position = Math.max(this.#position, Math.min(found.applied ?? before, before))
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
