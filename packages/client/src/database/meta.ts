import type { Tables } from './contract.ts'
import type { MetaValues } from './schema.ts'

export async function readMeta<K extends keyof MetaValues>(db: Tables, key: K): Promise<MetaValues[K] | undefined> {
  const row = await db.meta.get(key)
  return row?.value as MetaValues[K] | undefined
}

/** Reads several values, in the order of the keys. */
export async function readMetas<const K extends readonly (keyof MetaValues)[]>(
  db: Tables,
  keys: K,
): Promise<{ [I in keyof K]: MetaValues[K[I]] | undefined }> {
  const rows = await db.meta.bulkGet([...keys])
  return rows.map(row => row?.value) as { [I in keyof K]: MetaValues[K[I]] | undefined }
}

export async function writeMeta<K extends keyof MetaValues>(db: Tables, key: K, value: MetaValues[K]): Promise<void> {
  await db.meta.put({ key, value })
}
