import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders = new WeakMap<object, string>()
let root: string | undefined

/** The folder that stands for an IndexedDB in the run on SQLite. All are deleted when the process ends. */
export function folderOf(indexedDB: object): string {
  const folder = folders.get(indexedDB) ?? mkdtempSync(join(rootFolder(), 'device-'))
  folders.set(indexedDB, folder)
  return folder
}

function rootFolder(): string {
  if (root) return root
  const made = mkdtempSync(join(tmpdir(), 'kith-sqlite-'))
  process.on('exit', () => rmSync(made, { recursive: true, force: true }))
  root = made
  return made
}
