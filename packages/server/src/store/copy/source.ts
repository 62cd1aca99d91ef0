import { DataFolderError } from '../level/folder-error.ts'
import { readFormat } from '../level/format/format-records.ts'
import { presentFormat } from '../level/format/formats.ts'
import { firstKey, keys, lastKey, parseOrdered, partsOf, ranges } from '../level/keys.ts'
import type { LevelDatabase } from '../level/level-database.ts'
import { decodeLapsed, decodeNumber, decodeText } from '../level/record-codec.ts'
import { type Entry, type Family, familyOf } from './families.ts'

/** The largest number of entries, and of bytes, in a batch. */
const mostEntries = 500
const mostBytes = 4 * 1024 * 1024

/** What a data folder records about itself. */
export interface Folder {
  identity: Uint8Array
  cursorKey: Uint8Array
  /** The position of its last commit. */
  position: number
  /** Cursors before this position are no longer accepted. */
  lapsed: number
  /** Its openings: positions after `start` were assigned under this id. */
  runs: readonly { id: string; start: number }[]
}

/** Entries of one family, in the order of their keys. */
export interface Batch {
  family: Family
  entries: Entry[]
}

/** Rejects with {@link DataFolderError} for a folder of a later format: what this version does not know would be lost. */
export async function folderOf(database: LevelDatabase): Promise<Folder> {
  const format = await readFormat(database)
  if (format && format.number > presentFormat.number) {
    throw new DataFolderError(
      `the folder has format ${format.number}, and this version of Kith can copy formats up to ${presentFormat.number}, so nothing was copied: ` +
        'copy it with the version that wrote it, or a later one',
    )
  }
  const [identity, cursorKey, position, runs, lapsed] = await database.getMany([
    keys.identity,
    keys.cursorKey,
    keys.position,
    keys.runs,
    keys.lapsed,
  ])
  if (!(identity && cursorKey && position && runs)) {
    throw new Error(
      'the folder was written by an earlier version of Kith: serve it once with this version, then copy it',
    )
  }
  return {
    ...{ identity, cursorKey, position: decodeNumber(position), runs: JSON.parse(decodeText(runs)) },
    lapsed: decodeLapsed(lapsed).upTo,
  }
}

/** Everything in a folder that is copied, starting after a key. */
export async function* batchesOf(database: LevelDatabase, after: string, head: number): AsyncIterable<Batch> {
  let batch: Batch | undefined
  let bytes = 0
  for await (const [key, value] of database.iterator({ gt: after < firstKey ? firstKey : after, lt: lastKey })) {
    const family = familyOf(key)
    if (!family) continue
    if (batch && (batch.family !== family || batch.entries.length >= mostEntries || bytes >= mostBytes)) {
      yield batch
      batch = undefined
    }
    if (!batch) {
      batch = { family, entries: [] }
      bytes = 0
    }
    batch.entries.push({ key, bytes: value, position: await positionOf(database, key, head) })
    bytes += value.length
  }
  if (batch) yield batch
}

/**
 * Returns the position of a document's part. A snapshot gets the position right before the first update since, or the last
 * position of all.
 */
async function positionOf(database: LevelDatabase, key: string, head: number): Promise<number> {
  const [family, user = '', name, kind, position = ''] = partsOf(key)
  if (family !== 'document') return 0
  if (kind === 'u') return parseOrdered(position)
  const { lt } = ranges.document(user, name as 'roster')
  const [next] = await database.keys({ gt: key, lt, limit: 1 }).all()
  return next === undefined ? head : parseOrdered(partsOf(next)[4] as string) - 1
}
