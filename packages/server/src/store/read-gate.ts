/** Lets reads wait while the database is closed for a moment, and the closing wait for reads that are under way. */
export class ReadGate {
  #running = 0
  #opened: Promise<void> | undefined
  #onIdle: () => void = () => undefined

  async read<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter()
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  /** A loop over these must not wait for another read: the gate may be closed between the two. */
  async *each<T>(items: () => AsyncIterable<T>): AsyncGenerator<T> {
    await this.#enter()
    try {
      yield* items()
    } finally {
      this.#leave()
    }
  }

  /** Runs `work` when no read is under way; reads that begin meanwhile wait. One call at a time. */
  async whileClosed(work: () => Promise<void>): Promise<void> {
    let open: () => void = () => undefined
    this.#opened = new Promise(resolve => {
      open = resolve
    })
    try {
      if (this.#running > 0) {
        await new Promise<void>(resolve => {
          this.#onIdle = resolve
        })
      }
      await work()
    } finally {
      this.#opened = undefined
      open()
    }
  }

  async #enter(): Promise<void> {
    while (this.#opened) await this.#opened
    this.#running++
  }

  #leave(): void {
    this.#running--
    if (this.#running === 0) this.#onIdle()
  }
}
