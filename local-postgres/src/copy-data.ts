import { chmod, chown, copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ordinaryUser } from './ordinary-user.ts'

/**
 * Contents that a backup leaves out, as pg_basebackup does: files of the running server, and data that arrives by streaming.
 */
const emptied = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_subtrans',
])
const left = new Set(['postmaster.pid', 'postmaster.opts', 'pg_internal.init'])

/** Copies the folder of a running server, between the beginning and the end of a backup. */
export async function copyData(from: string, to: string): Promise<void> {
  await mkdir(to)
  // PostgreSQL refuses a folder that other users may read.
  await chmod(to, 0o700)
  await give(to)
  // All at the same time. If they were copied one after another, each would wait for its turn in a busy process.
  const entries = (await readdir(from, { withFileTypes: true })).filter(({ name }) => !left.has(name))
  await Promise.all(
    entries.map(entry => {
      const [source, target] = [join(from, entry.name), join(to, entry.name)]
      if (!entry.isDirectory()) return copyIfThere(source, target)
      return emptied.has(entry.name) ? makeEmpty(target) : copyData(source, target)
    }),
  )
}

async function makeEmpty(folder: string): Promise<void> {
  await mkdir(folder)
  await give(folder)
}

/** A file may be removed while the folder is read. The write-ahead log then contains this removal. */
async function copyIfThere(source: string, target: string): Promise<void> {
  try {
    await copyFile(source, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  await give(target)
}

/** Gives the file to the user as which PostgreSQL runs. */
export async function give(path: string): Promise<void> {
  const user = ordinaryUser()
  if (user) await chown(path, user.uid, user.gid)
}
