/** Reads that may hold one batch back. Those beyond wait for the next gap between two batches. */
const mostHolding = 64

/**
 * Reads whose result is handed over in the state that is on disk at that moment [V4].
 *
 * What a read waits for, and how often it is made, depends on batches alone, never on whose changes are in them or on whom
 * the read names [V10]:
 * 1. A read begins while no batch is being written. If none began meanwhile, its result is handed over.
 * 2. Otherwise the read is made a second time, and the next batch waits until this second result is handed over. Without
 *    this step a server that writes batch after batch would hand over nothing.
 *
 * A batch and the reads that hold it back take turns: reads that come while a batch waits or is being written wait for its
 * end. So a batch waits for `mostHolding` reads at most, and a read for one batch (Brandenburg and Anderson, "Reader-Writer
 * Synchronization for Shared-Memory Multiprocessor Real-Time Systems", ECRTS 2009: phase-fair locks).
 */
export class CurrentReads {
  /** Counts batches that were begun. */
  #batches = 0
  /** A batch waits for the reads before it, or is being written. */
  #isWriting = false
  #holding = 0
  /** Reads that wait for the end of the batch. */
  #waiting: (() => void)[] = []
  /** Second reads that wait for their turn. */
  #waitingToHold: (() => void)[] = []
  #startWriting: () => void = () => undefined

  /**
   * Reads, and hands over what was read. `handOver` is synchronous: it runs while the disk still says what was read. Rejects
   * with what `read` or `handOver` throws.
   */
  async read<T>(read: () => Promise<T>, handOver: (found: T) => void): Promise<void> {
    while (this.#isWriting) await new Promise<void>(resolve => this.#waiting.push(resolve))
    const began = this.#batches
    const found = await read()
    if (this.#batches === began) return handOver(found)
    await this.#hold()
    try {
      handOver(await read())
    } finally {
      this.#release()
    }
  }

  /** A batch is about to be written. Resolves when no read holds it back. */
  begin(): Promise<void> {
    this.#batches++
    this.#isWriting = true
    if (this.#holding === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#startWriting = resolve
    })
  }

  /** The batch is on disk and the relay has processed it, or nothing of the batch is on disk. */
  end(): void {
    this.#isWriting = false
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#admit()
  }

  /** What was just committed is about to be handed over: the next batch waits until the function that is returned is called. */
  holdNext(): () => void {
    this.#holding++
    return () => this.#release()
  }

  #hold(): Promise<void> {
    return new Promise(resolve => {
      this.#waitingToHold.push(resolve)
      this.#admit()
    })
  }

  #admit(): void {
    while (!this.#isWriting && this.#holding < mostHolding && this.#waitingToHold.length > 0) {
      this.#holding++
      this.#waitingToHold.shift()?.()
    }
  }

  #release(): void {
    this.#holding--
    if (this.#isWriting && this.#holding === 0) this.#startWriting()
    this.#admit()
  }
}
