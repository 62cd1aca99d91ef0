import { alwaysCurrent, type Lease } from '../relations/lease.ts'
import { LostHistory } from '../relations/outdated.ts'

/** Reads that may hold one batch back. Those beyond wait for the next gap between two batches. */
const mostHolding = 64

/** What was read, and the position of the state in which all of it was read. */
export interface Positioned {
  readonly at: number
}

/** A result that is handed over as soon as the state that was read has been reported. */
interface Early {
  readonly at: number
  /** `isCurrent`: the state that was read is the one reported last, and stays it until the result is handed over. */
  readonly settle: (isCurrent: boolean) => void
}

/**
 * Reads whose result is handed over in the state that was reported last [V4]. A read says at which position it was made: the
 * store may be ahead of what it has reported, by a batch that is on disk, or by batches of other nodes.
 *
 * What a read waits for, and how often it is made, depends on batches alone, never on whose changes are in them or on whom
 * the read names [V10]:
 * 1. A read begins while no batch is announced. If it was made at the position that was reported last, its result is handed
 *    over. If it was made at a later position, its result waits, and is handed over when that position is reported.
 * 2. If a later position was reported meanwhile, the read is made a second time, and the next batch waits until the second
 *    read was made, and its result is handed over if it was made at the position that was reported last. Without this step a
 *    server that writes batch after batch would hand over nothing.
 *
 * A batch and the reads that hold it back take turns: reads that come while a batch waits or is being written wait for its
 * end. So a batch waits for `mostHolding` reads at most, and a read for one batch (Brandenburg and Anderson, "Reader-Writer
 * Synchronization for Shared-Memory Multiprocessor Real-Time Systems", ECRTS 2009: phase-fair locks).
 */
export class CurrentReads {
  readonly #reported: () => number
  readonly #lease: Lease
  /** A batch waits for the reads before it, or is being written or reported. */
  #isAnnounced = false
  #holding = 0
  /** Reads that wait for the end of the batch. */
  #waiting: (() => void)[] = []
  /** Second reads that wait for their turn. */
  #waitingToHold: (() => void)[] = []
  #early: Early[] = []
  #startBatch: () => void = () => undefined
  /** Counts how often the history was lost: the same positions mean other states since. */
  #losses = 0

  /** `reported`: the position that the store reported last. */
  constructor(reported: () => number, lease: Lease = alwaysCurrent) {
    this.#reported = reported
    this.#lease = lease
  }

  /**
   * Reads, and hands over what was read. `handOver` is synchronous: it runs while the state that was read is the one that was
   * reported last, and the node's lease is current: without it the read is made again when the lease is. Rejects with what
   * `read` or `handOver` throws.
   */
  async read<T extends Positioned>(read: () => Promise<T>, handOver: (found: T) => void): Promise<void> {
    let isHandedOver = false
    const withLease = (found: T): void => {
      if (!this.mayHandOver) return
      isHandedOver = true
      handOver(found)
    }
    for (;;) {
      await this.#readOnce(read, withLease)
      if (isHandedOver) return
      if (!this.mayHandOver) await this.#lease.held()
    }
  }

  /** To be asked without an `await` before the hand-over. */
  get mayHandOver(): boolean {
    return this.#lease.isCurrent()
  }

  async #readOnce<T extends Positioned>(read: () => Promise<T>, handOver: (found: T) => void): Promise<void> {
    while (this.#isAnnounced) await new Promise<void>(resolve => this.#waiting.push(resolve))
    const losses = this.#losses
    const first = await read()
    if (losses === this.#losses && (await this.#handOverAt(first, handOver))) return
    await this.#hold()
    const lossesBefore = this.#losses
    let second: T
    try {
      second = await read()
      if (lossesBefore !== this.#losses) throw new LostHistory()
      // No `await` between the look at the position and the release, so no batch begins between the two.
      if (second.at === this.#reported()) return handOver(second)
    } finally {
      this.#release()
    }
    // A position that was reported before the second read comes after it only if the history was lost.
    if (!(await this.#handOverAt(second, handOver))) throw new LostHistory()
  }

  /** Resolves when this position has been reported. */
  async reported(at: number): Promise<void> {
    while (this.#reported() < at) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  /**
   * The first position at which a result waits to be handed over, if any: a store that reports several batches together
   * reports those up to this position first.
   */
  get firstAwaited(): number | undefined {
    return this.#early.reduce<number | undefined>((first, { at }) => Math.min(first ?? at, at), undefined)
  }

  /** A batch is announced. Resolves when no read holds it back. */
  begin(): Promise<void> {
    this.#isAnnounced = true
    if (this.#holding === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#startBatch = resolve
    })
  }

  /** The batch was reported and the relay has processed it, or nothing of the batch is on disk. */
  end(): void {
    this.#isAnnounced = false
    const reported = this.#reported()
    const settled = this.#early.filter(({ at }) => at <= reported)
    this.#early = this.#early.filter(({ at }) => at > reported)
    for (const { at, settle } of settled) {
      // The next batch waits: the result is handed over in another microtask.
      if (at === reported) this.#holding++
      settle(at === reported)
    }
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#admit()
  }

  /** The history was lost: what was read in it is not handed over when another history comes to the same position. */
  lost(): void {
    this.#losses++
    for (const { settle } of this.#early.splice(0)) settle(false)
  }

  /** What was just committed is about to be handed over: the next batch waits until the function that is returned is called. */
  holdNext(): () => void {
    this.#holding++
    return () => this.#release()
  }

  /** Hands over what was read when its position is the one reported last. `false`: a later position was reported before. */
  async #handOverAt<T extends Positioned>(found: T, handOver: (found: T) => void): Promise<boolean> {
    const { at } = found
    if (!this.#isAnnounced && at === this.#reported()) {
      handOver(found)
      return true
    }
    if (at < this.#reported()) return false
    const isCurrent = await new Promise<boolean>(settle => this.#early.push({ at, settle }))
    if (!isCurrent) return false
    try {
      handOver(found)
    } finally {
      this.#release()
    }
    return true
  }

  #hold(): Promise<void> {
    return new Promise(resolve => {
      this.#waitingToHold.push(resolve)
      this.#admit()
    })
  }

  #admit(): void {
    while (!this.#isAnnounced && this.#holding < mostHolding && this.#waitingToHold.length > 0) {
      this.#holding++
      this.#waitingToHold.shift()?.()
    }
  }

  #release(): void {
    this.#holding--
    if (this.#isAnnounced && this.#holding === 0) this.#startBatch()
    this.#admit()
  }
}
