import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { DataFolderError } from '../folder-error.ts'

/** The folder inside a data folder in which a restore prepares the content. */
export const restoringName = 'restoring'

/**
 * Rejects if a restore to this folder has not ended. Otherwise a server would start with an empty store, or with secrets of its
 * own, beside the content that is being restored.
 */
export async function expectRestored(folder: string): Promise<void> {
  // The store is moved last, so the rest is there if it is.
  if ((await isThere(join(folder, 'store'))) || !(await isThere(join(folder, restoringName)))) return
  throw new DataFolderError(
    `a restore to ${folder} has not ended: wait for it, or run it again if it was interrupted; to do without it, remove ${join(folder, restoringName)}`,
  )
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
