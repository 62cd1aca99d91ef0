import { DataFolderError } from '../folder-error.ts'
import type { LevelDatabase } from '../level-database.ts'
import { finishStaged } from '../stage/finish.ts'
import { type FolderFormat, readFormat } from './format-records.ts'
import { formats as allFormats, type Format } from './formats.ts'
import { expectKnownFamilies, expectKnownRecords } from './known.ts'
import { type MigrationProgress, migrate } from './migrate.ts'

export interface PrepareOptions {
  onProgress?: MigrationProgress | undefined
  /** The formats of this version of Kith. The present one is last. */
  formats?: readonly [Format, ...Format[]]
}

/**
 * Prepares a database for this version of Kith, before anything else reads it. It refuses data that a later version wrote,
 * finishes a staged change, and migrates data that an earlier version wrote. Returns the folder's `minReader`, or `undefined`
 * for an empty database. Throws {@link DataFolderError}.
 */
export async function prepareDatabase(
  database: LevelDatabase,
  folder: string,
  { onProgress, formats = allFormats }: PrepareOptions = {},
): Promise<number | undefined> {
  const last = formats.at(-1) as Format
  const found = await readFormat(database)
  expectReadable(folder, found, last.number)
  const isLater = found !== undefined && found.number > last.number
  if (!isLater) await expectKnownFamilies(database, folder)
  await finishStaged(database, formats)
  if (found) await migrate(database, found.number, formats, onProgress)
  await expectKnownRecords(database, folder)
  return (await readFormat(database))?.minReader
}

/** Refuses a folder that only later versions may open. Throws {@link DataFolderError}. */
export function expectReadable(folder: string, found: FolderFormat | undefined, known: number): void {
  if (!found || (found.minReader ?? Number.POSITIVE_INFINITY) <= known) return
  throw new DataFolderError(
    `${folder} has the format ${JSON.stringify(found.text)}, and this version of Kith reads kith-1 to kith-${known}: ` +
      'run the version that wrote it, or a later one, or give another folder with --data',
  )
}
