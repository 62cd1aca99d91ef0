import type { Operation } from '../operations.ts'
import { minReaderRecord } from './format-records.ts'

/**
 * The `minReader` of a folder while a server writes to it. It is raised when the server first writes a record that needs a
 * later format.
 */
export class MinReader {
  readonly #write: (operations: readonly Operation[]) => Promise<void>
  #value: number

  /** `value`: the value in the folder while nothing is staged. `write`: resolves when a batch is on disk. */
  constructor(value: number, write: (operations: readonly Operation[]) => Promise<void>) {
    this.#value = value
    this.#write = write
  }

  get value(): number {
    return this.#value
  }

  /**
   * Await this before the first record of a format is written. After a crash in between, the folder is closed to more versions
   * than necessary.
   */
  async raise(format: number): Promise<void> {
    if (format <= this.#value) return
    await this.#write([minReaderRecord(format)])
    this.#value = format
  }
}
