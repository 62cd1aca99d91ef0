import { keys } from '../keys.ts'
import type { LevelDatabase } from '../level-database.ts'
import type { Operation } from '../operations.ts'
import { decodeText, encodeText } from '../record-codec.ts'
import { writeSynced } from '../write-synced.ts'
import { formatRecords, leastReader, minReaderRecord, readFormat } from './format-records.ts'
import type { Format, Migration } from './formats.ts'

/** Hears how many records a migration to this format has looked at. */
export type MigrationProgress = (format: number, records: number) => void

/** As many records as one batch looks at. */
const recordsInBatch = 1_000

/**
 * Brings a data folder to the last of these formats, one format after the other. While a step is under way, no version before
 * its format may open the folder.
 */
export async function migrate(
  database: LevelDatabase,
  from: number,
  formats: readonly Format[],
  onProgress: MigrationProgress = () => undefined,
): Promise<void> {
  const least = await leastReader(database, await readFormat(database))
  for (const format of formats) {
    if (format.number <= from) continue
    if (format.migration) await rewriteAll(database, format.number, format.migration, onProgress)
    await writeSynced(database, [...formatRecords(format, least), { type: 'del', key: keys.migrating }])
  }
}

async function rewriteAll(
  database: LevelDatabase,
  to: number,
  { range, rewrite }: Migration,
  onProgress: MigrationProgress,
): Promise<void> {
  let batch: Operation[] = []
  let records = 0
  // Written with each batch, so after a crash it goes on behind the last one; it goes with the step.
  const begun = await database.get(keys.migrating)
  let after = begun ? decodeText(begun) : ''
  const write = async (): Promise<void> => {
    const progress = { type: 'put', key: keys.migrating, value: encodeText(after) } as const
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
