import { keys } from '../keys.ts'
import type { LevelDatabase } from '../level-database.ts'
import type { Operation } from '../operations.ts'
import { decodeText, encodeText } from '../record-codec.ts'
import { writeSynced } from '../write-synced.ts'
import { formatRecords, leastReader, minReaderRecord, readFormat } from './format-records.ts'
import type { Format, Migration } from './formats.ts'

/** Called with the number of records that a migration to this format has examined. */
export type MigrationProgress = (format: number, records: number) => void

/** The number of records that one batch examines. */
const recordsInBatch = 1_000

/**
 * Migrates a data folder to the last of these formats, one format after the other. While a step is in progress, no version
 * before its format may open the folder.
 */
export async function migrate(
  database: LevelDatabase,
  from: number,
  formats: readonly Format[],
  onProgress: MigrationProgress = () => undefined,
): Promise<void> {
  const begun = await database.get(keys.migrating)
  let interrupted = begun && decodeProgress(begun)
  const least = interrupted?.least ?? (await leastReader(database, await readFormat(database)))
  for (const format of formats) {
    if (format.number <= from) continue
    const progress = interrupted ?? { least, after: '' }
    if (format.migration) await rewriteAll(database, format.number, format.migration, progress, onProgress)
    interrupted = undefined
    await writeSynced(database, [...formatRecords(format, least), { type: 'del', key: keys.migrating }])
  }
}

/** Written with each batch, so after a crash the migration continues after the last batch. Removed at the end of the step. */
interface Progress {
  /** What `leastReader` returned before the migration, which raises the folder's `minReader` while it is in progress. */
  least: number
  /** The last key that was examined. */
  after: string
}

const encodeProgress = (progress: Progress): Uint8Array => encodeText(JSON.stringify(progress))
const decodeProgress = (bytes: Uint8Array): Progress => JSON.parse(decodeText(bytes)) as Progress

async function rewriteAll(
  database: LevelDatabase,
  to: number,
  { range, rewrite }: Migration,
  { least, after: begun }: Progress,
  onProgress: MigrationProgress,
): Promise<void> {
  let batch: Operation[] = []
  let records = 0
  let after = begun
  const write = async (): Promise<void> => {
    const progress = { type: 'put', key: keys.migrating, value: encodeProgress({ least, after }) } as const
    await writeSynced(database, [...batch, progress, minReaderRecord(to)])
    batch = []
    onProgress(to, records)
  }
  await write()
  for await (const [key, value] of database.iterator({ ...range, ...(after !== '' && { gt: after }) })) {
    batch.push(...rewrite(key, value))
    after = key
    records++
    if (records % recordsInBatch === 0) await write()
  }
  await write()
}
