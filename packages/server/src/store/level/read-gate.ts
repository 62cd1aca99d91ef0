/**
 * Reads of a database that is closed for a moment now and then: a read that begins meanwhile waits. One that is under way
 * ends first: a Level waits for it before it closes.
 */
export class ReadGate {
  #opened: Promise<void> | undefined

  /** One operation of the database: what goes on after it may find the database closed. */
  async read<T>(operation: () => Promise<T>): Promise<T> {
    while (this.#opened) await this.#opened
    return operation()
  }

  /** Runs `work`, which closes the database and opens it again. One call at a time. */
  async whileClosed(work: () => Promise<void>): Promise<void> {
    let open: () => void = () => undefined
    this.#opened = new Promise(resolve => {
      open = resolve
    })
    try {
      await work()
    } finally {
      this.#opened = undefined
      open()
    }
  }
}
