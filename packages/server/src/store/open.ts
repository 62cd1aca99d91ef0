import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Limits } from '@kith/shared'
import { Level } from 'level'
import { MemoryLevel } from 'memory-level'
import type { Clock } from '../clock.ts'
import { keys } from './keys.ts'
import { type LevelDatabase, openStore } from './level-store.ts'
import { decodeNumber, decodeText, encodeNumber, encodeText } from './records.ts'
import { Runs } from './runs.ts'
import type { Store } from './store.ts'

/** The data folder's layout. Another number: another version of Kith wrote it. */
const format = 'kith-1'

/** A data folder that can't be used, with what to do about it. */
export class DataFolderError extends Error {}

export interface StoreOptions {
  limits: Limits
  clock: Clock
}

/** Opens or makes the LevelDB in a data folder. Throws {@link DataFolderError}. */
export async function openLevelStore(folder: string, options: StoreOptions): Promise<Store> {
  return storeOn(await openLevelDatabase(folder), options)
}

/** A store that forgets everything at its end, for tests. The same code on another Level. */
export async function openMemoryStore(options: StoreOptions): Promise<Store> {
  const database = new MemoryLevel<string, Uint8Array>({ keyEncoding: 'utf8', valueEncoding: 'view' })
  return storeOn(database as unknown as LevelDatabase, options)
}

/** The database beneath a data folder, for the commands that look at it whole. Throws {@link DataFolderError}. */
export async function openLevelDatabase(folder: string, mustExist = false): Promise<LevelDatabase> {
  const path = join(folder, 'store')
  const database = new Level<string, Uint8Array>(path, {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    createIfMissing: !mustExist,
  })
  try {
    if (!mustExist) await mkdir(path, { recursive: true, mode: 0o700 })
    await database.open()
  } catch (error) {
    throw new DataFolderError(explain(folder, error), { cause: error })
  }
  const found = await database.get(keys.format)
  if (found !== undefined && decodeText(found) !== format) {
    await database.close()
    throw new DataFolderError(
      `${folder} has the format ${JSON.stringify(decodeText(found))}, and this version reads ${format}: ` +
        'run the version of Kith that wrote it, or give another folder with --data',
    )
  }
  if (found === undefined && mustExist) {
    await database.close()
    throw new DataFolderError(`${folder} holds no data of Kith: check --data`)
  }
  return database as unknown as LevelDatabase
}

/** A store on a database that is open and empty, or of our format. */
export async function storeOn(database: LevelDatabase, { limits, clock }: StoreOptions): Promise<Store> {
  const [found, runs, stored] = await database.getMany([keys.format, keys.runs, keys.position])
  const position = stored ? decodeNumber(stored) : 0
  const history = Runs.begin(runs, position)
  const operations = [{ type: 'put' as const, key: keys.runs, value: history.encode() }]
  if (found === undefined) {
    operations.push(
      { type: 'put', key: keys.format, value: encodeText(format) },
      { type: 'put', key: keys.position, value: encodeNumber(0) },
    )
  }
  await database.batch(operations, { sync: true } as object)
  return openStore({ database, runs: history, position, limits, clock })
}

function explain(folder: string, error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  if (cause?.code === 'LEVEL_LOCKED') {
    return `${folder} is in use by another process: stop that server first, or give another folder with --data`
  }
  const detail = cause?.message ?? (error instanceof Error ? error.message : String(error))
  if (/does not exist|No such file/.test(detail)) return `${folder} holds no data of Kith: check --data`
  return `${folder} can't be opened (${detail}): check that it is a folder of Kith's, readable and writable, with free space`
}
