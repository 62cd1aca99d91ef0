import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { acknowledgedFile, readAcknowledged } from '../files/acknowledged.ts'
import { findDamage } from '../files/damage.ts'
import { verifiedFile } from '../files/verified-tables.ts'
import { DataFolderError } from '../folder-error.ts'
import { isSameFileSet, readFileSet } from './file-set.ts'
import { syncPath } from './sync-path.ts'
import { bringTable } from './tables.ts'

/** The number of attempts. An attempt succeeds if no file of the database was replaced while the logs were copied. */
const attempts = 100
const pauseMs = 50
/** Files that describe only the server's own files, or that are copied with the logs. */
const leftOut = [acknowledgedFile, verifiedFile, 'room']

export interface BackUpOptions {
  /** The previous backup. A table that it contains, with the same content, is linked instead of copied. */
  previous?: string | undefined
  /** Called with a sentence about a damaged table of the previous backup. */
  warn?: ((what: string) => void) | undefined
  /** What to do if the copied data is damaged. */
  advice: string
  /** Called with the number of tables that have been copied. */
  onProgress?: ((done: number, of: number) => void) | undefined
}

/**
 * Copies a data folder into an empty folder, even while a server has it open. The copy is the state at one moment, with
 * everything that the server had acknowledged when the copy began. This works because LevelDB never changes a table, and only appends to
 * logs and manifests: the copy is valid if the same files make up the database before and after the logs were copied. Throws
 * {@link DataFolderError} if no attempt succeeds, or if the copied data is damaged.
 */
export async function backUp(folder: string, target: string, options: BackUpOptions): Promise<void> {
  const [from, to] = [join(folder, 'store'), join(target, 'store')]
  await mkdir(to, { mode: 0o700 })
  const brought = new Set<number>()
  let failure: unknown
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      if (await isCopied(folder, target, brought, options)) return await finish(folder, target, options.advice)
    } catch (error) {
      // A table was replaced by others while it was copied, or the manifest was being written.
      if (!isPassing(error)) throw error
      failure = error
    }
    await pause(pauseMs)
  }
  throw new DataFolderError(
    `the files of ${from} changed too fast for a backup: try again when the server has less to do`,
    { cause: failure },
  )
}

/**
 * Copies the files that make up the database now. Returns whether they still did at the end. `brought`: the numbers of the
 * tables that an earlier attempt has copied.
 */
async function isCopied(
  folder: string,
  target: string,
  brought: Set<number>,
  { previous, warn, onProgress }: BackUpOptions,
): Promise<boolean> {
  const [from, to] = [join(folder, 'store'), join(target, 'store')]
  // Read before the logs, so the logs contain at least that much.
  const acknowledged = readAcknowledged(folder)
  if (acknowledged === 'damaged') throw new RangeError('the file acknowledged is being written')
  const witness = acknowledged === undefined ? undefined : await readFile(join(folder, acknowledgedFile))
  const files = await readFileSet(from)
  for (const [index, table] of files.tables.entries()) {
    if (!brought.has(table.number)) {
      await bringTable({ from, to, previous: previous && join(previous, 'store') }, table, warn ?? (() => undefined))
      brought.add(table.number)
    }
    onProgress?.(index + 1, files.tables.length)
  }
  const logs = await Promise.all(files.logs.map(name => readFile(join(from, name))))
  if (!isSameFileSet(files, await readFileSet(from))) return false
  for (const name of await readdir(to)) if (/\.log$|^MANIFEST-/.test(name)) await rm(join(to, name))
  for (const [index, name] of files.logs.entries()) await writeNew(join(to, name), logs[index] as Buffer)
  await writeNew(join(to, files.manifest), files.manifestBytes)
  await writeNew(join(to, 'CURRENT'), `${files.manifest}\n`)
  if (witness) await writeNew(join(target, acknowledgedFile), witness)
  const tables = new Set(files.tables.map(({ number }) => number))
  for (const name of await readdir(to)) {
    if (/\.(ldb|sst)$/.test(name) && !tables.has(Number.parseInt(name, 10))) await rm(join(to, name))
  }
  return true
}

/** Copies secrets and settings, then verifies every byte. */
async function finish(folder: string, target: string, advice: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile() || leftOut.some(name => entry.name.startsWith(name))) continue
    await copyFile(join(folder, entry.name), join(target, entry.name))
    await syncPath(join(target, entry.name))
  }
  for (const made of [join(target, 'store'), target]) await syncPath(made)
  const [damage] = await findDamage(target)
  if (damage) {
    throw new DataFolderError(`${damage.file} ${damage.what}, in the copy and probably in ${folder}: ${advice}`)
  }
}

async function writeNew(path: string, bytes: Uint8Array | string): Promise<void> {
  await writeFile(path, bytes, { mode: 0o600, flush: true })
}

/** Whether the error comes from files that are being replaced or written. */
function isPassing(error: unknown): boolean {
  return error instanceof RangeError || (error as NodeJS.ErrnoException).code === 'ENOENT'
}
