import type { Environment } from '../environment.ts'
import { readDatabase } from '../settings.ts'
import { compact } from '../store/level/compact.ts'
import { openLevelDatabase } from '../store/level/open.ts'
import { expectNoData, readDataOption } from './data-option.ts'
import { tellMigration } from './migration-progress.ts'

const onProgress = (count: number): void => void process.stderr.write(`${count} documents folded\n`)

/** Rewrites a data folder that no server uses, or the documents of a database, so that nothing erased is left in it. */
export async function runCompact(args: readonly string[], env: Environment): Promise<number> {
  const database = readDatabase(env)
  if (database) {
    expectNoData(args)
    return compactDatabase(database.url, database.prepares)
  }
  const { folder } = readDataOption(args, 0)
  return compactFolder(folder)
}

async function compactFolder(folder: string): Promise<number> {
  const database = await openLevelDatabase(folder, true, tellMigration)
  try {
    const { documents } = await compact(database, onProgress)
    process.stdout.write(`compacted ${documents} document${documents === 1 ? '' : 's'}\n`)
    return 0
  } finally {
    await database.close()
  }
}

const remaining = `No query returns what was erased or overwritten. The files of PostgreSQL may still hold it:
- in tables, until VACUUM FULL (or pg_repack) of document, level and log, once the log of the last 10 minutes was trimmed;
- in the write-ahead log, until its segments are gone: set wal_recycle = off, and run CHECKPOINT;
- in archives, standbys and backups, as long as these are kept.
`

async function compactDatabase(url: string, prepares: boolean): Promise<number> {
  const [postgres, { withDatabase }] = await Promise.all([
    import('../store/postgres/compact.ts'),
    import('../store/postgres/maintenance.ts'),
  ])
  const { documents, left } = await withDatabase(url, prepares, database =>
    postgres.compactDatabase(database, onProgress),
  )
  process.stdout.write(`compacted ${documents} document${documents === 1 ? '' : 's'}\n`)
  if (left > 0) {
    process.stdout.write(`${left} of them were written again and again: run compact another time\n`)
    return 1
  }
  process.stdout.write(remaining)
  return 0
}
