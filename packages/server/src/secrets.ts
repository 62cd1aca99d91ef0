import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { causeOf } from './relations/unwritable.ts'
import { expectRestored } from './store/level/backup/restoring.ts'
import { DataFolderError } from './store/level/folder-error.ts'

/** Returns a secret that the server made itself, stored in the data folder. Only its owner can read it. */
export async function ownSecret(folder: string, name: 'token-secret' | 'admin-key'): Promise<string> {
  await expectRestored(folder)
  try {
    return await readOrMake(folder, join(folder, name))
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const { reason, advice } = causeOf(error) ?? {
      reason: 'it is no folder that can be written to',
      advice: 'give a folder that this user may write to with --data',
    }
    throw new DataFolderError(`no secret can be kept in ${folder}, since ${reason} (${detail}): ${advice}`, {
      cause: error,
    })
  }
}

async function readOrMake(folder: string, path: string): Promise<string> {
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (known?.trim()) return known.trim()
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // Complete before it gets its name, so that neither a crash nor another process at the same time leaves half of a secret.
  const temporary = `${path}.${randomBytes(8).toString('hex')}`
  try {
    await writeFile(temporary, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx', flush: true })
    if (known === undefined) await link(temporary, path).catch(unlessThere)
    else await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
  return (await readFile(path, 'utf8')).trim()
}

/** Another process was first: its secret is used. */
function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
