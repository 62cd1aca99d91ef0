import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders = new WeakMap<object, string>()
let root: string | undefined

/** In memory where the system allows it: each save waits for the disk, and these tests are not about the disk. */
const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** The folder that stands for an IndexedDB in the run on SQLite. All folders are deleted when the process ends. */
export function folderOf(indexedDB: object): string {
  const folder = folders.get(indexedDB) ?? mkdtempSync(join(rootFolder(), 'device-'))
  folders.set(indexedDB, folder)
  return folder
}

function rootFolder(): string {
  if (root) return root
  const made = mkdtempSync(join(place, 'kith-sqlite-'))
  process.on('exit', () => rmSync(made, { recursive: true, force: true }))
  root = made
  return made
}
