import { alwaysCurrent, type Lease } from '../relations/lease.ts'
import { LostHistory } from '../relations/outdated.ts'

/** The number of reads that may delay one batch. Further reads wait for the next gap between two batches. */
const mostHolding = 64

/** The result of a read, and the position of the state in which all of it was read. */
export interface Positioned {
  readonly at: number
}

/** A result that is handed over as soon as its state has been reported. */
interface Early {
  readonly at: number
  /** `isCurrent`: the state that was read is the last reported state, and remains so until the result is handed over. */
  readonly settle: (isCurrent: boolean) => void
}

/**
 * Reads whose result is handed over in the state that was reported last [V4]. A read returns the position at which it was made.
 * The store may be ahead of the reported position, by a batch that is on disk, or by batches of other nodes.
 *
 * Only batches determine what a read waits for, and how often it is made. The users whose changes are in the batches, and the
 * users that the read names, never do [V10]:
 * 1. A read begins while no batch is announced. If it was made at the position that was reported last, its result is handed
 *    over. If it was made at a later position, its result waits, and is handed over when that position is reported.
 * 2. If a later position was reported meanwhile, the read is made a second time. The next batch waits until the second read is
 *    done. If the second read was made at the position that was reported last, its result is handed over. Without this step, a
 *    server that writes batch after batch would hand over nothing.
 *
 * A batch and the reads that delay it take turns: reads that start while a batch waits or is being written wait for its end. So
 * a batch waits for at most `mostHolding` reads, and a read waits for one batch (Brandenburg and Anderson, "Reader-Writer
 * Synchronization for Shared-Memory Multiprocessor Real-Time Systems", ECRTS 2009: phase-fair locks).
 */
export class CurrentReads {
  readonly #reported: () => number
  readonly #lease: Lease
  /** A batch waits for earlier reads, or is being written or reported. */
  #isAnnounced = false
  #holding = 0
  /** Reads that wait for the end of the batch. */
  #waiting: (() => void)[] = []
  /** Second reads that wait for their turn. */
  #waitingToHold: (() => void)[] = []
  #early: Early[] = []
  #startBatch: () => void = () => undefined
  /** Counts how often the history was lost. After a loss, the same positions stand for other states. */
  #losses = 0

  /** `reported`: the position that the store reported last. */
  constructor(reported: () => number, lease: Lease = alwaysCurrent) {
    this.#reported = reported
    this.#lease = lease
  }

  /**
   * Reads, and hands over the result. `handOver` is synchronous. It runs while the state that was read is the one that was
   * reported last, and while the node's lease is current. If the lease is not current, the read is repeated when the lease is
   * current again. Rejects with what `read` or `handOver` throws.
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

  /** Check this without an `await` before the hand-over. */
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
      // No `await` between the check of the position and the release, so no batch begins between the two.
      if (second.at === this.#reported()) return handOver(second)
    } finally {
      this.#release()
    }
    // If the position of the second read is later than the reported one, the history was lost.
    if (!(await this.#handOverAt(second, handOver))) throw new LostHistory()
  }

  /** Resolves when this position has been reported. */
  async reported(at: number): Promise<void> {
    while (this.#reported() < at) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  /**
   * The first position at which a result waits to be handed over, if any. A store that reports several batches together reports
   * the batches up to this position first.
   */
  get firstAwaited(): number | undefined {
    return this.#early.reduce<number | undefined>((first, { at }) => Math.min(first ?? at, at), undefined)
  }

  /** Announces a batch. Resolves when no read delays the batch. */
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
      // The next batch waits, because the result is handed over in another microtask.
      if (at === reported) this.#holding++
      settle(at === reported)
    }
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#admit()
  }

  /**
   * The history was lost. Results that were read from it are not handed over when another history reaches the same position.
   */
  lost(): void {
    this.#losses++
    for (const { settle } of this.#early.splice(0)) settle(false)
  }

  /** The last commit is about to be handed over. The next batch waits until the returned function is called. */
  holdNext(): () => void {
    this.#holding++
    return () => this.#release()
  }

  /** Hands over a result when its position is the one reported last. Returns `false` if a later position was reported first. */
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
