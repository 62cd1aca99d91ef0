import type { Stats } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { partsOf } from '../keys.ts'
import { acknowledgedFile, readAcknowledged } from './acknowledged.ts'
import { type Damage, damagesOfLogs } from './log-damage.ts'
import { readLog } from './log-file.ts'
import { readVersion, type Table, type Version } from './manifest.ts'
import { type DamagedPart, verifyTable } from './table-file.ts'
import type { VerifiedTables } from './verified-tables.ts'

/** The number of tables that are checked together. */
const tablesAtOnce = 64

/** Which tables need not be read, because they were verified recently. */
export interface Reliance {
  readonly verified: VerifiedTables
  readonly nowMs: number
}

/**
 * Reads every file that belongs to the database and verifies its checksums, without opening the database or changing anything.
 * Returns an empty list if everything that was written is there. As distributed, LevelDB verifies no checksum of a table, and
 * its recovery silently drops damaged records of the log.
 *
 * With `reliance`, only the presence and size of a recently verified table are checked. Other tables that are found intact are
 * recorded there.
 */
export async function findDamage(folder: string, reliance?: Reliance): Promise<Damage[]> {
  const store = join(folder, 'store')
  const names = await readdir(store).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const acknowledged = readAcknowledged(folder)
  if (acknowledged === 'damaged') {
    const lost = 'nothing by itself, but whether the store has all that was answered can no longer be told'
    return [{ file: acknowledgedFile, what: 'is damaged', lost }]
  }
  const version = await currentVersion(store, names, acknowledged ?? 0)
  if (version === undefined) return []
  if ('lost' in version) return [version]
  const damages: Damage[] = []
  const tables = [...version.tables.values()]
  for (let start = 0; start < tables.length; start += tablesAtOnce) {
    const some = tables.slice(start, start + tablesAtOnce)
    const found = await Promise.all(some.map(async table => ({ table, ...(await fileOf(store, names, table)) })))
    for (const one of found) damages.push(...(await damagesOfTable(store, one, reliance)))
  }
  damages.push(...(await damagesOfLogs(store, names, version, acknowledged ?? 0)))
  return damages
}

/** Returns which files belong together, or `undefined` if there are none yet. */
async function currentVersion(
  store: string,
  names: readonly string[],
  acknowledged: number,
): Promise<Version | Damage | undefined> {
  const damage = (name: string, what: string): Damage => ({
    file: `store/${name}`,
    what,
    lost: 'everything, since which files belong together is not known',
  })
  if (!names.includes('CURRENT')) {
    return acknowledged > 0 || names.some(isUsed) ? damage('CURRENT', 'is missing') : undefined
  }
  const name = /^(MANIFEST-\d+)\n$/.exec(await readFile(join(store, 'CURRENT'), 'latin1'))?.[1]
  if (name === undefined) return damage('CURRENT', 'is damaged')
  if (!names.includes(name)) return damage(name, 'is missing')
  const records: Uint8Array[] = []
  for (const entry of readLog(await readFile(join(store, name)))) {
    if (entry.state === 'whole') records.push(entry.bytes)
    else if (entry.state === 'damaged') return damage(name, `is damaged at byte ${entry.at}`)
  }
  try {
    return readVersion(records)
  } catch (error) {
    return damage(name, `is damaged: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/**
 * Whether a file shows that the store contained data. A process that is killed while it creates a store leaves only a manifest.
 */
function isUsed(name: string): boolean {
  return /^\d+\.(log|ldb|sst)$/.test(name) || (name.startsWith('MANIFEST-') && name !== 'MANIFEST-000001')
}

/** The name of a table's file, and its status from the system. */
interface TableFile {
  name: string
  stats: Stats | undefined
}

async function fileOf(store: string, names: readonly string[], { number }: Table): Promise<TableFile> {
  const base = String(number).padStart(6, '0')
  const name = [`${base}.ldb`, `${base}.sst`].find(one => names.includes(one))
  return { name: name ?? `${base}.ldb`, stats: name === undefined ? undefined : await stat(join(store, name)) }
}

async function damagesOfTable(
  store: string,
  { table, name, stats }: TableFile & { table: Table },
  reliance: Reliance | undefined,
): Promise<Damage[]> {
  const all = between(table.smallest, table.largest)
  if (!stats) return [{ file: `store/${name}`, what: 'is missing', lost: all }]
  if (stats.size !== table.bytes) {
    return [{ file: `store/${name}`, what: `has ${stats.size} bytes, and had ${table.bytes}`, lost: all }]
  }
  if (reliance?.verified.isReliedOn(name, stats, reliance.nowMs)) return []
  const parts = verifyTable(await readFile(join(store, name)))
  if (parts.length === 0) reliance?.verified.noteWhole(name, stats, reliance.nowMs)
  return damagesOf(name, table, parts)
}

/** Returns what is lost by damaged parts of a table. */
export function damagesOf(name: string, { smallest, largest }: Table, parts: readonly DamagedPart[]): Damage[] {
  return parts.map(({ at, after = smallest, upTo = largest }) => ({
    file: `store/${name}`,
    what: `is damaged at byte ${at}`,
    lost: between(after, upTo),
  }))
}

/** In LevelDB's own keys, 8 bytes follow our key. */
function between(first: Uint8Array, last: Uint8Array): string {
  const [from, to] = [first, last].map(key => {
    const [family, id] = partsOf(new TextDecoder().decode(key.subarray(0, -8)))
    return JSON.stringify(id === undefined ? family : `${family} ${id}`)
  })
  return from === to ? `the records with the key ${from}` : `the records with keys from ${from} to ${to}`
}
