import type { Operation } from '../operations.ts'
import { minReaderRecord } from './format-records.ts'

/** The `minReader` of a folder while a server writes to it. It rises when the server first writes what needs a later format. */
export class MinReader {
  readonly #write: (operations: readonly Operation[]) => Promise<void>
  #value: number

  /** `value`: as it stands in the folder while nothing is staged. `write`: resolves when a batch is on the disk. */
  constructor(value: number, write: (operations: readonly Operation[]) => Promise<void>) {
    this.#value = value
    this.#write = write
  }

  get value(): number {
    return this.#value
  }

  /** To be awaited before the first record of a format is written. After a crash in between the folder is closed to more versions than it need be. */
  async raise(format: number): Promise<void> {
    if (format <= this.#value) return
    await this.#write([minReaderRecord(format)])
    this.#value = format
  }
}
