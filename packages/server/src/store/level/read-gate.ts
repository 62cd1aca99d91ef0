/**
 * Reads of a database that is sometimes closed for a moment. A read that begins meanwhile waits. A read in progress ends first,
 * because Level waits for it before it closes.
 */
export class ReadGate {
  #opened: Promise<void> | undefined

  /** Runs one operation of the database. After it, the caller may find the database closed. */
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
