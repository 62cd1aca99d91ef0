import { copyFile, link, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A copy of a data folder that no server uses. Tables are never changed once they are written, so the copy has them by hard
 * links: it takes no room, and what is done to it leaves the folder as it is.
 */
export async function copyOf(folder: string, copy: string): Promise<void> {
  await mkdir(copy, { recursive: true, mode: 0o700 })
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const [from, to] = [join(folder, entry.name), join(copy, entry.name)]
    if (entry.isDirectory()) await copyOf(from, to)
    else if (entry.name.endsWith('.ldb')) await link(from, to)
    else await copyFile(from, to)
  }
}
