import { access, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { acknowledgedFile } from '../files/acknowledged.ts'
import { DataFolderError } from '../folder-error.ts'
import type { MigrationProgress } from '../format/migrate.ts'
import { openLevelDatabase } from '../open.ts'
import { type BackUpOptions, backUp } from './back-up.ts'
import { finishedIn } from './generations.ts'
import { whileLocked } from './lock.ts'
import { restoringName } from './restoring.ts'
import { syncPath } from './sync-path.ts'
import { withhold } from './withhold.ts'

const contentName = 'content'
/** Names in a data folder that may be there before a restore: of an interrupted restore, and of the file system itself. */
const permitted = [restoringName, 'lost+found']

export interface RestoreOptions extends Pick<BackUpOptions, 'onProgress'> {
  nowMs: number
  /** Owners are shown according to the backup immediately, instead of after one of their devices has synced. */
  isTrusted: boolean
  onMigration?: MigrationProgress | undefined
}

/**
 * Creates a data folder from a backup, which is not changed. The content is prepared in a folder inside, and moved when it is
 * complete, because the folder itself may be the place of a mounted volume. What an interrupted restore left is removed.
 * Resolves to the number of users who are shown to no viewer until one of their devices has synced.
 */
export async function restore(backup: string, folder: string, options: RestoreOptions): Promise<number> {
  await expectBackup(backup)
  const target = resolve(folder)
  await expectEmpty(target)
  const isNew = await isMade(target)
  const restoring = join(target, restoringName)
  await mkdir(restoring, { recursive: true, mode: 0o700 })
  const busy = `another restore to ${target} is running: wait for its end`
  return whileLocked(join(restoring, 'lock'), busy, async () => {
    const withheld = await prepare(backup, target, options).catch(async (error: unknown) => {
      await rm(restoring, { recursive: true, force: true })
      // Fails, as intended, if there is anything in it.
      if (isNew) await rmdir(target).catch(() => undefined)
      throw error
    })
    // If this does not come to its end, `restoring` stays, so no server starts with a part of the content.
    await moveInto(join(restoring, contentName), target)
    await rm(restoring, { recursive: true })
    if (isNew) await syncPath(dirname(target))
    return withheld
  })
}

async function prepare(backup: string, target: string, options: RestoreOptions): Promise<number> {
  const { nowMs, isTrusted, onProgress, onMigration } = options
  // Another restore may have ended meanwhile.
  await expectEmpty(target)
  const content = join(target, restoringName, contentName)
  // What a killed process left.
  await rm(content, { recursive: true, force: true })
  await mkdir(content, { mode: 0o700 })
  await backUp(backup, content, { onProgress, advice: 'restore another backup' })
  return isTrusted ? 0 : await withholdIn(content, nowMs, onMigration)
}

async function withholdIn(folder: string, nowMs: number, onMigration: MigrationProgress | undefined): Promise<number> {
  const database = await openLevelDatabase(folder, true, onMigration)
  try {
    return await withhold(database, nowMs)
  } finally {
    await database.close()
  }
}

/**
 * Moves the content of a folder. The store comes last: a server does not start before it is there. `acknowledged` comes first,
 * because with it an earlier version of the server does not start either.
 */
async function moveInto(from: string, to: string): Promise<void> {
  const others = (await readdir(from)).filter(name => name !== 'store' && name !== acknowledgedFile)
  for (const name of [acknowledgedFile, ...others]) {
    await rename(join(from, name), join(to, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
  await syncPath(to)
  await rename(join(from, 'store'), join(to, 'store'))
  await syncPath(to)
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
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  if (names.every(name => permitted.includes(name))) return
  throw new DataFolderError(`${folder} is not empty: stop its server, and move its content away first`)
}

/** Creates a folder. Returns false if it was there before. */
async function isMade(folder: string): Promise<boolean> {
  await mkdir(dirname(folder), { recursive: true })
  try {
    await mkdir(folder, { mode: 0o700 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}
