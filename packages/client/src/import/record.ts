import type { ImportRecord } from '@kith/shared/import'
import type { Tables } from '../database/contract.ts'
import { readMeta, writeMeta } from '../database/meta.ts'
import type { Store } from '../database/store.ts'

// The contacts of the last import of each source on this device. With it, the next import knows which entries have left the
// source, and which names the user has changed since. It is lost with the database, and then no contact counts as gone.

export async function readRecord(store: Store, source: string): Promise<ImportRecord> {
  return store.use(db => recordOfSource(db, source))
}

/** Writes the record of a source, if its stored record is `over`. */
export async function replaceRecord(
  store: Store,
  source: string,
  over: ImportRecord,
  record: ImportRecord,
): Promise<void> {
  await store.work(async ({ db }) => {
    if (isSame(await recordOfSource(db, source), over)) await putRecord(db, source, record)
  })
}

/** Writes the record of a source, in a transaction. Writes nothing if this record is already stored. */
export async function putRecord(db: Tables, source: string, record: ImportRecord): Promise<void> {
  if (isSame(await recordOfSource(db, source), record)) return
  await writeMeta(db, 'imports', new Map(await readMeta(db, 'imports')).set(source, record))
}

async function recordOfSource(db: Tables, source: string): Promise<ImportRecord> {
  return (await readMeta(db, 'imports'))?.get(source) ?? new Map()
}

function isSame(one: ImportRecord, other: ImportRecord): boolean {
  return one.size === other.size && [...one].every(([address, label]) => other.get(address) === label)
}
