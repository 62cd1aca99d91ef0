import { randomBytes } from 'node:crypto'
import { open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

const chunkBytes = 1024 * 1024
/** Room for a new manifest, a new log, and some changes after that. */
const spareBytes = 2 * chunkBytes

const file = 'room'

/**
 * Resolves if the disk accepts as much as opening the database writes: LevelDB then makes a table of each log. Rejects with the
 * system's error. Only a write can show this, because quotas and limits are not included in the free space of a file system.
 */
export async function findRoom(folder: string): Promise<void> {
  const path = join(folder, file)
  try {
    const handle = await open(path, 'w', 0o600)
    try {
      // Random bytes, which no file system can compress.
      const chunk = randomBytes(chunkBytes)
      for (let left = spareBytes + (await logBytes(folder)); left > 0; left -= chunkBytes) await handle.writeFile(chunk)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } finally {
    await rm(path, { force: true })
  }
}

/** Removes what a process left that was killed while it checked for room. */
export async function removeProbe(folder: string): Promise<void> {
  await rm(join(folder, file), { force: true })
}

async function logBytes(folder: string): Promise<number> {
  const store = join(folder, 'store')
  const logs = (await readdir(store)).filter(name => name.endsWith('.log'))
  const sizes = await Promise.all(logs.map(name => stat(join(store, name)).then(({ size }) => size)))
  return sizes.reduce((sum, size) => sum + size, 0)
}
