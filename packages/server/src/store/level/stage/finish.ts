import { keys, parseOrdered, partsOf, ranges } from '../keys.ts'
import type { LevelDatabase } from '../level-database.ts'
import { writeSynced } from '../write-synced.ts'
import { decodeMarker, type Marker } from './marker.ts'
import { Slice } from './slice.ts'

/**
 * What an earlier process staged and did not finish, before anything else reads the database. With the marker the change is a
 * commit, and its slices are applied now; without it nothing of the change counts, and its slices are removed.
 */
export async function finishStaged(database: LevelDatabase): Promise<void> {
  const bytes = await database.get(keys.staged)
  const marker = bytes && decodeMarker(bytes)
  for await (const [key, slice] of database.iterator(ranges.slices)) {
    const operations = marker && isOf(marker, key) ? [...Slice.operationsOf(slice)] : []
    const counting = operations.filter(operation => !marker?.skipped.has(operation.key))
    // Each with its slice, so that after another crash none is applied a second time.
    await writeSynced(database, [...counting, { type: 'del', key }])
  }
  if (marker) await writeSynced(database, [{ type: 'del', key: keys.staged }])
}

function isOf({ slices, applied }: Marker, key: string): boolean {
  const index = parseOrdered(partsOf(key)[1] as string)
  return index < slices && !applied.has(index)
}
