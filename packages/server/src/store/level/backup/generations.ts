import { access, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DataFolderError } from '../folder-error.ts'
import { type BackUpOptions, backUp } from './back-up.ts'
import { whileLocked } from './lock.ts'

const finished = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/

export interface AddBackupOptions extends Pick<BackUpOptions, 'onProgress' | 'warn'> {
  nowMs: number
  /** How many backups stay, including the new one. Absent: all. */
  keep?: number | undefined
}

/**
 * Adds a backup to a folder of backups. Each backup is a folder that is named by its time and can be served as it is. It gets
 * its name when it is complete. Resolves to its path.
 */
export async function addBackup(
  folder: string,
  backups: string,
  { nowMs, keep, ...reports }: AddBackupOptions,
): Promise<string> {
  await expectFolder(folder)
  await mkdir(backups, { recursive: true, mode: 0o700 })
  const busy = `another backup is being made in ${backups}: wait for its end`
  return whileLocked(join(backups, 'lock'), busy, async () => {
    const before = (await finishedIn(backups)).at(-1)
    const making = join(backups, 'unfinished')
    const made = join(backups, new Date(nowMs).toISOString().replaceAll(':', '-'))
    try {
      // What a killed process left.
      await rm(making, { recursive: true, force: true })
      await mkdir(making, { mode: 0o700 })
      await backUp(folder, making, { ...reports, previous: before, advice: adviceOn(folder) })
      await rename(making, made)
    } catch (error) {
      await rm(making, { recursive: true, force: true })
      throw error
    }
    if (keep !== undefined) {
      for (const old of (await finishedIn(backups)).slice(0, -keep)) await rm(old, { recursive: true })
    }
    return made
  })
}

function adviceOn(folder: string): string {
  return `keep the backups before this one, stop the server, and run check --data ${folder}`
}

async function expectFolder(folder: string): Promise<void> {
  await access(join(folder, 'store', 'CURRENT')).catch((cause: unknown) => {
    throw new DataFolderError(`${folder} holds no data of Kith: give the right folder with --data`, { cause })
  })
}

/** Returns the backups in a folder, the oldest first. */
export async function finishedIn(backups: string): Promise<string[]> {
  const names = (await readdir(backups)).filter(name => finished.test(name))
  return names.sort().map(name => join(backups, name))
}
