import type { Mode } from '../database/contract.ts'
import type { SqliteConnection } from './driver.ts'
import type { Work } from './table.ts'

/** The operations of one transaction: one after the other, in the order of the calls. */
export class Transaction {
  readonly read: Set<string> = new Set()
  readonly written: Set<string> = new Set()
  readonly #mode: Mode
  readonly #connection: () => SqliteConnection
  #last: Promise<unknown> = Promise.resolve()
  #failure: { error: unknown } | undefined
  #isOver = false

  /** `connection` throws when the database was closed meanwhile. */
  constructor(mode: Mode, connection: () => SqliteConnection) {
    this.#mode = mode
    this.#connection = connection
  }

  /** After an error, nothing more is done, and the transaction fails even if the error is caught. */
  readonly work: Work = (mode, table, body) => {
    const result = this.#last.then(() => {
      if (this.#failure) throw this.#failure.error
      if (this.#isOver) throw new Error('This transaction is over: await all that it does')
      if (mode === 'rw' && this.#mode === 'r') throw new TypeError('This transaction only reads')
      const touched = mode === 'r' ? this.read : this.written
      touched.add(table)
      return body(this.#connection())
    })
    this.#last = result.catch((error: unknown) => {
      this.#failure ??= { error }
    })
    return result
  }

  /** Resolves when all pending work is done; later work is rejected. Rejects with the first error. */
  async end(): Promise<void> {
    await this.#last
    this.#isOver = true
    await this.#last
    if (this.#failure) throw this.#failure.error
  }
}
