import * as Y from 'yjs'
import { StoredDocument } from '../../documents/stored-document.ts'
import type { DocumentName } from '../../relations/records.ts'
import { firstKey, keys, lastKey, partsOf, ranges } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'

/** The result of a compaction. */
export interface CompactReport {
  documents: number
}

/**
 * Rewrites the data folder so that nothing erased is left in its files [V5]: folds every document's log into a
 * garbage-collected snapshot, then has LevelDB rewrite all files. For a folder that no server uses.
 *
 * `compactRange` alone leaves overwritten values in the files: it only rewrites where levels overlap. A key written at both
 * ends of the key space makes them overlap everywhere.
 *
 * @param database - The database, as {@link openLevelDatabase} returned it.
 * @param onProgress - Gets the number of documents that were folded.
 * @returns Resolves to the result.
 * @throws The error of the database, if it cannot be read or written.
 */
export async function compact(
  database: LevelDatabase,
  onProgress?: (documents: number) => void,
): Promise<CompactReport> {
  let documents = 0
  for (const [user, name] of await storedDocuments(database)) {
    await fold(database, user, name)
    documents++
    if (documents % 1000 === 0) onProgress?.(documents)
  }
  for (let round = 0; round < 2; round++) {
    const ends = [firstKey, lastKey]
    await database.batch(
      ends.map(key => ({ type: 'put' as const, key, value: new Uint8Array(1) })),
      { sync: true } as object,
    )
    await compactRange(database)
    await database.batch(
      ends.map(key => ({ type: 'del' as const, key })),
      { sync: true } as object,
    )
    await compactRange(database)
  }
  return { documents }
}

async function storedDocuments(database: LevelDatabase): Promise<[string, DocumentName][]> {
  const found = new Map<string, [string, DocumentName]>()
  for await (const key of database.keys(ranges.documents)) {
    const [, user, name] = partsOf(key) as [string, string, DocumentName]
    found.set(`${name} ${user}`, [user, name])
  }
  return [...found.values()]
}

async function fold(database: LevelDatabase, user: string, name: DocumentName): Promise<void> {
  const entries = await database.iterator(ranges.document(user, name)).all()
  const document = new StoredDocument(
    name,
    entries.map(([, bytes]) => bytes),
  )
  const removals = entries.map(([key]) => ({ type: 'del' as const, key }))
  const snapshot = {
    type: 'put' as const,
    key: keys.snapshot(user, name),
    value: Y.encodeStateAsUpdateV2(document.doc),
  }
  await database.batch([...removals, snapshot], { sync: true } as object)
  document.destroy()
}

/** Merges all levels where they overlap. Only classic-level has this method. A database in memory has nothing to rewrite. */
export async function compactRange(database: LevelDatabase): Promise<void> {
  const { compactRange } = database as { compactRange?: (start: string, end: string) => Promise<void> }
  await compactRange?.call(database, firstKey, lastKey)
}
