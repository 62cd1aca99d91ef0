import type { ImportRecord } from '@kith/shared/import'
import { readMeta, writeMeta } from '../database/meta.ts'
import type { Store } from '../database/store.ts'

// The contacts of the last import of each source on this device. With it, the next import knows which entries have left the
// source, and which names the user has changed since. It is lost with the database, and then no contact counts as gone.

export async function readRecord(store: Store, source: string): Promise<ImportRecord> {
  const records = await store.use(db => readMeta(db, 'imports'))
  return records?.get(source) ?? new Map()
}

/** Writes nothing if this record is already stored. */
export async function writeRecord(store: Store, source: string, record: ImportRecord): Promise<void> {
  await store.work(async ({ db }) => {
    const records = new Map(await readMeta(db, 'imports'))
    if (isSame(records.get(source), record)) return
    records.set(source, record)
    await writeMeta(db, 'imports', records)
  })
}

function isSame(one: ImportRecord | undefined, other: ImportRecord): boolean {
  return one?.size === other.size && [...one].every(([address, label]) => other.get(address) === label)
}
