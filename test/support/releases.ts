import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { openKith } from '@kith/client'
import type { Frame } from '@kith/shared/wire'
import { Dexie } from 'dexie'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { Level } from 'level'
import { linkDependencies } from '../releases/dependencies.js'
import { restoreSqlite, type SqliteDump } from '../releases/sqlite-file.js'
import { withBytes } from '../releases/values.js'
import { temporaryFolder } from './stores.ts'

/** The files of released versions: see CONTRIBUTING. */
export const releasesFolder: string = fileURLToPath(new URL('../releases', import.meta.url))

/** Every released version, the newest last. */
export const releases: readonly string[] = readdirSync(releasesFolder, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(({ name }) => name)
  .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))

/** The state that the devices and the server of a release reported at its end. */
export interface Seen {
  device: SeenByDevice
  /** A device on SQLite; 0.1.0 left none. */
  sqlite?: SeenByDevice
  /** `owner/viewer` → the response of `GET /v1/visibility`. */
  visibility: Record<string, { levels: number[]; reason: string }>
}

export interface SeenByDevice {
  unsent: number
  fields: [level: number, fields: Record<string, unknown>][]
  label: string
  levels: number[]
  isBlocked: boolean
  shown: Record<string, unknown>
}

interface DeviceDump {
  /** The version of the IndexedDB database. */
  version: number
  tables: Record<string, { stores: string; rows: object[] }>
}

/** Records this checkout as a release is recorded. Resolves to the folder, which stands for the version in these functions. */
export async function recordRelease(): Promise<string> {
  const folder = join(await temporaryFolder(), 'recorded')
  const root = resolve(releasesFolder, '../..')
  await promisify(execFile)(process.execPath, [join(releasesFolder, 'record.js'), root, folder])
  return folder
}

function linesOf<T>(version: string, name: string): T[] {
  const text = readFileSync(resolve(releasesFolder, version, `${name}.jsonl`), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map(line => withBytes(JSON.parse(line)) as T)
}

export function seenBy(version: string): Seen {
  return linesOf<Seen>(version, 'seen')[0] as Seen
}

export function goldenFrames(version: string): { message: Frame; frame: Uint8Array }[] {
  return linesOf(version, 'frames')
}

/** Creates a data folder with the files that the server of a release left. */
export async function restoreFolder(version: string): Promise<string> {
  const folder = await temporaryFolder()
  mkdirSync(join(folder, 'store'))
  const level = new Level<string, Uint8Array>(join(folder, 'store'), { keyEncoding: 'utf8', valueEncoding: 'view' })
  const entries = linesOf<[string, Uint8Array]>(version, 'folder')
  await level.batch(
    entries.map(([key, value]) => ({ type: 'put' as const, key, value })),
    { sync: true } as object,
  )
  await level.close()
  return folder
}

/** Creates storage with the data that a device of a release left. Its database is called `alice`. */
export async function restoreDevice(version: string): Promise<IDBFactory> {
  const indexedDB = new IDBFactory()
  const { version: raised, tables } = linesOf<DeviceDump>(version, 'device')[0] as DeviceDump
  const db = new Dexie('alice', { indexedDB, IDBKeyRange })
  db.version(raised / 10).stores(Object.fromEntries(Object.entries(tables).map(([name, { stores }]) => [name, stores])))
  await db.open()
  for (const [name, { rows }] of Object.entries(tables)) await db.table(name).bulkPut(rows)
  db.close()
  return indexedDB
}

/** Creates a folder with the file that a device on SQLite of a release left. */
export async function restoreSqliteDevice(version: string): Promise<string> {
  const folder = await temporaryFolder()
  restoreSqlite(folder, linesOf<SqliteDump>(version, 'sqlite')[0] as SqliteDump)
  return folder
}

/** Unpacks the programs of a release. They use the libraries of this checkout. */
export async function unpack(version: string): Promise<{ server: string; openKith: typeof openKith }> {
  const folder = await temporaryFolder()
  execFileSync('tar', ['-xzf', resolve(releasesFolder, version, 'packed.tar.gz'), '-C', folder])
  linkDependencies(folder)
  const client = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'client/index.js')).href)) as {
    openKith: typeof openKith
  }
  return { server: join(folder, 'server/main.js'), openKith: client.openKith }
}
