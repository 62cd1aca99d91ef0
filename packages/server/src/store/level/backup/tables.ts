import { constants, type Stats } from 'node:fs'
import { copyFile, link, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Table } from '../files/manifest.ts'
import { verifyTable } from '../files/table-file.ts'
import { syncPath } from './sync-path.ts'

/** The folders of tables: of the data, of the new backup, and of the previous backup. */
export interface TableFolders {
  from: string
  to: string
  previous?: string | undefined
}

/**
 * Brings a table into the new backup. If the previous backup has a table of the same name and content, it is linked. Otherwise
 * the table is copied. The whole content is compared, because numbers of tables repeat in another history of the folder, for
 * example after a restore, and because a table of the previous backup may have been damaged since. `warn` is called with such
 * damage. Throws a RangeError while the table is being written.
 */
export async function bringTable(
  { from, to, previous }: TableFolders,
  { number, bytes }: Table,
  warn: (what: string) => void,
): Promise<void> {
  const base = String(number).padStart(6, '0')
  const name = (await sizeOf(join(from, `${base}.ldb`))) === undefined ? `${base}.sst` : `${base}.ldb`
  const [source, target] = [join(from, name), join(to, name)]
  await rm(target, { force: true })
  const before = previous && join(previous, name)
  if (before && (await isSameTable(before, source, warn)) && (await isLinked(before, target))) return
  await copyFile(source, target, constants.COPYFILE_FICLONE)
  await syncPath(target)
  if ((await sizeOf(target)) !== bytes) throw new RangeError(`${name} is being written`)
}

async function isSameTable(before: string, source: string, warn: (what: string) => void): Promise<boolean> {
  const earlier = await readFile(before).catch((error: NodeJS.ErrnoException) => error)
  if (earlier instanceof Error) {
    if (earlier.code !== 'ENOENT') warn(adviceOn(before, `cannot be read (${earlier.message})`))
    return false
  }
  if (earlier.equals(await readFile(source))) return true
  // An intact table with other content belongs to another history of the folder.
  const [damage] = verifyTable(earlier)
  if (damage) warn(adviceOn(before, `is damaged at byte ${damage.at}`))
  return false
}

function adviceOn(table: string, what: string): string {
  const backup = dirname(dirname(table))
  return `${table} ${what}, so the new backup has a copy of its own: do not restore ${backup}, nor an earlier backup that shares the file, and check the disk`
}

/** Returns false on a file system without links, and for a file that has as many links as it can have. */
async function isLinked(before: string, target: string): Promise<boolean> {
  return link(before, target).then(
    () => true,
    () => false,
  )
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }: Stats) => size,
    () => undefined,
  )
}
