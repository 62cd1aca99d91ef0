type Operation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

/**
 * A chained batch that is written as an array. A test can so observe, hold back and fail both kinds of batch in the same way.
 */
export class ChainedBatch {
  readonly #operations: Operation[] = []
  readonly #write: (operations: Operation[], options: object) => Promise<void>

  constructor(write: (operations: Operation[], options: object) => Promise<void>) {
    this.#write = write
  }

  put(key: string, value: Uint8Array): this {
    this.#operations.push({ type: 'put', key, value })
    return this
  }

  del(key: string): this {
    this.#operations.push({ type: 'del', key })
    return this
  }

  write(options: object): Promise<void> {
    return this.#write(this.#operations, options)
  }
}

/** Returns a `batch` method for a database. This function writes the batches of both kinds. */
export function batchOfEitherKind<O extends object>(
  write: (operations: O[], options: object) => Promise<void>,
): (operations?: O[], options?: object) => unknown {
  return (operations, options = {}) =>
    operations
      ? write(operations, options)
      : new ChainedBatch(write as unknown as ConstructorParameters<typeof ChainedBatch>[0])
}
