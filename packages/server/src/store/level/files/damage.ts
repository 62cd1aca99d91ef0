import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { partsOf } from '../keys.ts'
import { acknowledgedFile, readAcknowledged } from './acknowledged.ts'
import { type Damage, damagesOfLogs } from './log-damage.ts'
import { readLog } from './log-file.ts'
import { readVersion, type Table, type Version } from './manifest.ts'
import { verifyTable } from './table-file.ts'

/**
 * Reads every file that belongs to the database and verifies its checksums, without opening it, and changes nothing.
 * Empty: all that was written is there. LevelDB as it comes to us verifies no checksum of a table, and its recovery drops
 * damaged records of the log in silence.
 */
export async function findDamage(folder: string): Promise<Damage[]> {
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
  for (const table of version.tables.values()) damages.push(...(await damagesOfTable(store, names, table)))
  damages.push(...(await damagesOfLogs(store, names, version, acknowledged ?? 0)))
  return damages
}

/** Which files belong together; `undefined` when there are none yet. */
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

/** Whether a file says that the store held something: a process that is killed while making one leaves only a manifest. */
function isUsed(name: string): boolean {
  return /^\d+\.(log|ldb|sst)$/.test(name) || (name.startsWith('MANIFEST-') && name !== 'MANIFEST-000001')
}

async function damagesOfTable(
  store: string,
  names: readonly string[],
  { number, bytes, smallest, largest }: Table,
): Promise<Damage[]> {
  const base = String(number).padStart(6, '0')
  const name = [`${base}.ldb`, `${base}.sst`].find(one => names.includes(one))
  const all = between(smallest, largest)
  if (name === undefined) return [{ file: `store/${base}.ldb`, what: 'is missing', lost: all }]
  const file = await readFile(join(store, name))
  if (file.length !== bytes) {
    return [{ file: `store/${name}`, what: `has ${file.length} bytes, and had ${bytes}`, lost: all }]
  }
  return verifyTable(file).map(({ at, after = smallest, upTo = largest }) => ({
    file: `store/${name}`,
    what: `is damaged at byte ${at}`,
    lost: between(after, upTo),
  }))
}

/** In LevelDB's own keys 8 bytes follow ours. */
function between(first: Uint8Array, last: Uint8Array): string {
  const [from, to] = [first, last].map(key => {
    const [family, id] = partsOf(new TextDecoder().decode(key.subarray(0, -8)))
    return JSON.stringify(id === undefined ? family : `${family} ${id}`)
  })
  return from === to ? `the records with the key ${from}` : `the records with keys from ${from} to ${to}`
}
