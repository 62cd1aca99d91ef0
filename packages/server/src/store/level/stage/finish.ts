import { leastReader, minReaderRecord, readFormat } from '../format/format-records.ts'
import type { Format } from '../format/formats.ts'
import { keys, parseOrdered, partsOf, ranges } from '../keys.ts'
import type { LevelDatabase } from '../level-database.ts'
import { writeSynced } from '../write-synced.ts'
import { decodeMarker, type Marker } from './marker.ts'
import { Slice } from './slice.ts'

/**
 * Handles what an earlier process staged and did not finish, before anything else reads the database. With the marker, the
 * change is a commit, and its slices are applied now. Without it, the change does not count, and its slices are removed.
 */
export async function finishStaged(database: LevelDatabase, formats: readonly Format[]): Promise<void> {
  const bytes = await database.get(keys.staged)
  const marker = bytes && decodeMarker(bytes)
  const folder = await readFormat(database)
  for await (const [key, slice] of database.iterator(ranges.slices)) {
    const operations = marker && isOf(marker, key) ? [...Slice.operationsOf(slice)] : []
    const counting = operations.filter(operation => !marker?.skipped.has(operation.key))
    // Each deletion is written with its slice, so that no slice is applied a second time after another crash.
    await writeSynced(database, [...counting, { type: 'del', key }])
  }
  if (!marker) return
  // This version does not know what a later format requires, so versions without staged changes stay refused there.
  const format = formats.find(({ number }) => number === folder?.number)
  const least = await leastReader(database, folder)
  const minReader = format ? [minReaderRecord(Math.max(format.minReader, least))] : []
  await writeSynced(database, [{ type: 'del', key: keys.staged }, ...minReader])
}

function isOf({ slices, applied }: Marker, key: string): boolean {
  const index = parseOrdered(partsOf(key)[1] as string)
  return index < slices && !applied.has(index)
}
