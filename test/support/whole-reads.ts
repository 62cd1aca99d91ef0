/** An iterator of abstract-level, as the store uses it. */
interface Reader<T> {
  all(): Promise<T[]>
}

/** The same, read in parts. */
export interface PartsReader<T> extends Reader<T>, AsyncIterable<T> {
  nextv(size: number): Promise<T[]>
  close(): Promise<void>
}

/** Returns a reader whose first part is everything, so that a test can stop or refuse a range as one operation, in `read`. */
export function wholeReads<T>(reader: Reader<T>, read: (all: () => Promise<T[]>) => Promise<T[]>): PartsReader<T> {
  let isRead = false
  const all = (): Promise<T[]> => read(() => reader.all())
  return {
    all,
    async nextv() {
      if (isRead) return []
      isRead = true
      return all()
    },
    close: async () => undefined,
    async *[Symbol.asyncIterator]() {
      yield* await all()
    },
  }
}
