import { constants } from 'node:fs'
import { copyFile, link, mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

/**
 * Puts the programs of an npm package into a folder, and returns their path. An ordinary user may not be able to read the
 * folder of the packages. Symbolic links, which npm packages cannot contain, may not be creatable in that folder.
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
      // Links made by another package manager are created again, from the list.
      else if (entry.isFile()) await linkOrCopy(source, target)
    }),
  )
}

async function linkOrCopy(source: string, target: string): Promise<void> {
  // A hard link is not possible on another file system, and some systems refuse a hard link to another user's file.
  await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE))
}
