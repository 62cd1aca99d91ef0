import { copyFile, link, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Copies a data folder that no server uses. Tables never change after they are written, so the copy uses hard links to them: it
 * needs no space, and changes to the copy leave the folder unchanged.
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
