import { access, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { DataFolderError } from '../folder-error.ts'
import type { MigrationProgress } from '../format/migrate.ts'
import { openLevelDatabase } from '../open.ts'
import { type BackUpOptions, backUp } from './back-up.ts'
import { finishedIn } from './generations.ts'
import { syncPath } from './sync-path.ts'
import { withhold } from './withhold.ts'

export interface RestoreOptions extends Pick<BackUpOptions, 'onProgress'> {
  nowMs: number
  /** Owners are shown according to the backup immediately, instead of after one of their devices has synced. */
  isTrusted: boolean
  onMigration?: MigrationProgress | undefined
}

/**
 * Creates a data folder from a backup, which is not changed. The folder gets its name when it is complete. Resolves to the
 * number of users who are shown to no viewer until one of their devices has synced.
 */
export async function restore(backup: string, folder: string, options: RestoreOptions): Promise<number> {
  const { nowMs, isTrusted, onProgress, onMigration } = options
  await expectBackup(backup)
  const target = resolve(folder)
  await expectEmpty(target)
  const making = `${target}.restoring-${process.pid}`
  try {
    await mkdir(making, { mode: 0o700 })
    await backUp(backup, making, { onProgress, advice: 'restore another backup' })
    const withheld = isTrusted ? 0 : await withholdIn(making, nowMs, onMigration)
    await rename(making, target)
    await syncPath(dirname(target))
    return withheld
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    throw error
  }
}

async function withholdIn(folder: string, nowMs: number, onMigration: MigrationProgress | undefined): Promise<number> {
  const database = await openLevelDatabase(folder, true, onMigration)
  try {
    return await withhold(database, nowMs)
  } finally {
    await database.close()
  }
}

async function expectBackup(backup: string): Promise<void> {
  try {
    await access(join(backup, 'store', 'CURRENT'))
  } catch (cause) {
    const newest = await finishedIn(backup).then(
      names => names.at(-1),
      () => undefined,
    )
    const advice = newest ? `name one of those in it, as in ${newest}` : 'name a folder that backup made'
    throw new DataFolderError(`${backup} is not a backup: ${advice}`, { cause })
  }
}

async function expectEmpty(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  if (names.length === 0) return
  throw new DataFolderError(`${folder} is not empty: stop its server, and move the folder away first`)
}
