import { type KeyRange, keys } from '../keys.ts'
import type { LevelDatabase } from '../level-database.ts'
import { readRange } from '../read-range.ts'
import { byteOrdered } from './byte-order.ts'
import { countsBeside, type Overlay, type Staged } from './overlay.ts'

type Entry = [key: string, value: Uint8Array]

/** A part of a range. */
export interface Page {
  entries: Entry[]
  /** The key after which the range continues; `undefined` at its end. */
  next: string | undefined
}

/** Reads keys from one snapshot, overlaid with what is staged. */
export async function getManyOver(
  database: LevelDatabase,
  overlay: Overlay,
  wanted: string[],
): Promise<(Uint8Array | undefined)[]> {
  const staged = wanted.map(key => overlay.find(key))
  if (staged.every(found => found === undefined)) return database.getMany(wanted)
  // The marker is from the same snapshot. It tells which of the staged records are not in that snapshot itself.
  const [marker, ...stored] = await database.getMany([keys.staged, ...wanted])
  const counts = countsBeside(marker)
  return stored.map((value, index) => {
    const found = staged[index]
    return found && counts(found) ? overlay.valueOf(found) : value
  })
}

/** Reads the first `limit` entries of a range from one snapshot, overlaid with what is staged. */
export async function pageOver(
  database: LevelDatabase,
  overlay: Overlay,
  { gt, lt, limit }: KeyRange & { limit: number },
): Promise<Page> {
  const snapshot = database.snapshot()
  try {
    // Both start together, because the database may be closed as soon as nothing is being read.
    const reads = [
      database.getMany([keys.staged], { snapshot }),
      readRange(database, { gt, lt, limit, snapshot }),
    ] as const
    const [[marker], stored] = await Promise.all(reads)
    const last = stored.length === limit ? stored.at(-1)?.[0] : undefined
    // After the last key that was read, the database may have more entries.
    const staged = overlay.within({ gt, lt: last === undefined ? lt : `${last}\u0000` })
    const entries = merged(stored, recordsOf(overlay, staged, countsBeside(marker)), limit)
    return { entries, next: entries.length === limit ? entries.at(-1)?.[0] : last }
  } finally {
    await snapshot.close()
  }
}

function* recordsOf(
  overlay: Overlay,
  staged: Iterable<Staged>,
  counts: (staged: Staged) => boolean,
): Iterable<[key: string, value: Uint8Array | undefined]> {
  for (const one of staged) if (counts(one)) yield [one.key, overlay.valueOf(one)]
}

/** Merges both in the order of the database. If both have a key, the staged record counts. At most `limit` entries. */
function merged(
  stored: readonly Entry[],
  staged: Iterable<[key: string, value: Uint8Array | undefined]>,
  limit: number,
): Entry[] {
  const entries: Entry[] = []
  let index = 0
  for (const [key, value] of staged) {
    const ordered = byteOrdered(key)
    for (let entry = stored[index]; entry && byteOrdered(entry[0]) < ordered; entry = stored[++index]) {
      entries.push(entry)
    }
    if (stored[index]?.[0] === key) index++
    if (value) entries.push([key, value])
    if (entries.length >= limit) return entries.slice(0, limit)
  }
  return [...entries, ...stored.slice(index)].slice(0, limit)
}
