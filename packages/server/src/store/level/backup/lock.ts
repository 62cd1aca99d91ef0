import { Level } from 'level'
import { DataFolderError } from '../folder-error.ts'

/**
 * Runs `work` while this process holds the lock in a folder, which is created. The lock is that of an empty LevelDB. The system
 * releases it when its process ends, and it excludes processes of all containers that share the folder; process ids do not,
 * because each container has its own. Throws {@link DataFolderError} with `busy` while another process has the lock.
 */
export async function whileLocked<T>(folder: string, busy: string, work: () => Promise<T>): Promise<T> {
  const lock = new Level(folder)
  try {
    await lock.open()
  } catch (error) {
    const { cause } = error as { cause?: { code?: string; message?: string } }
    const detail = cause?.message ?? String(error)
    const isTaken = cause?.code === 'LEVEL_LOCKED'
    const what = isTaken
      ? `${busy} (${detail})`
      : `${folder} can't be used (${detail}): check that this user can write to it, and that its file system has free space and file locks; if so, remove it`
    throw new DataFolderError(what, { cause: error })
  }
  try {
    return await work()
  } finally {
    await lock.close()
  }
}
