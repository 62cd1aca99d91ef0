import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DataFolderError } from './store/open.ts'

/** A secret that the server made for itself, in the data folder, readable by its owner alone. */
export async function ownSecret(folder: string, name: 'token-secret' | 'admin-key'): Promise<string> {
  try {
    return await readOrMake(folder, join(folder, name))
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new DataFolderError(
      `no secret can be kept in ${folder} (${detail}): give a folder that this user may write to with --data`,
      { cause: error },
    )
  }
}

async function readOrMake(folder: string, path: string): Promise<string> {
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (known?.trim()) return known.trim()
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const secret = randomBytes(32).toString('base64url')
  // Empty when a crash came between making and writing it.
  const file = await open(path, known === undefined ? 'wx' : 'w', 0o600)
  try {
    await file.writeFile(`${secret}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  return secret
}
