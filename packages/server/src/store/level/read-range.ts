import type { AbstractSnapshot } from 'abstract-level'
import type { KeyRange } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'

type Range = KeyRange & { limit: number; snapshot?: AbstractSnapshot }

/** The number of entries for which LevelDB reserves memory first. Most documents have fewer records. */
const entriesAtFirst = 16
/** The number for which it reserves memory afterwards: 64 bytes for each entry. */
const entriesAtOnce = 250

/**
 * Reads all entries of a range from one snapshot. The iterator's own `all` reserves 64 KB for 1,000 entries, and the memory is
 * freed only when V8 collects the iterator. So devices that arrive at the same time would take tens of megabytes outside the
 * heap, which the allocator then keeps.
 */
export async function readRange(database: LevelDatabase, range: Range): Promise<[string, Uint8Array][]> {
  const iterator = database.iterator(range)
  try {
    const entries = await iterator.nextv(entriesAtFirst)
    for (let count = entries.length; count > 0; ) {
      const more = await iterator.nextv(entriesAtOnce)
      entries.push(...more)
      count = more.length
    }
    return entries
  } finally {
    await iterator.close()
  }
}
