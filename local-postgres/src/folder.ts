import { chown, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ordinaryUser } from './ordinary-user.ts'

/** Makes a temporary folder of the user as which PostgreSQL runs. */
export async function makeFolder(): Promise<string> {
  const user = ordinaryUser()
  // The temporary folder of root may be closed to other users.
  const parent = user && !(await isOpen(tmpdir())) ? '/tmp' : tmpdir()
  const folder = await mkdtemp(join(parent, 'kith-postgres-'))
  if (user) await chown(folder, user.uid, user.gid)
  return folder
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

/** Returns whether every user can reach the contents of a folder. */
async function isOpen(folder: string): Promise<boolean> {
  const { mode } = await stat(folder)
  if ((mode & 0o001) === 0) return false
  return folder === dirname(folder) || isOpen(dirname(folder))
}
