import { readdirSync } from 'node:fs'
import type { DeviceStorage } from '@kith/client/sqlite'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { type DeviceDatabase, dexieStorage } from './client-internals.ts'
import { folderOf } from './sqlite-folders.ts'

/** Whether this run uses SQLite instead of IndexedDB: see `vitest.sqlite.config.ts`. */
const isOnSqlite = process.env['KITH_TEST_STORAGE'] === 'sqlite'

/** Returns the storage of a device that a test installed with this IndexedDB. */
function storageOf(indexedDB: IDBFactory): DeviceStorage {
  return dexieStorage({ indexedDB, IDBKeyRange })
}

/** Opens the database of a closed client, and closes it afterwards. */
export async function withDatabase<T>(
  indexedDB: IDBFactory,
  name: string,
  body: (db: DeviceDatabase) => Promise<T>,
): Promise<T> {
  const db = storageOf(indexedDB).database(name)
  await db.open()
  try {
    return await body(db)
  } finally {
    await db.close()
  }
}

/** Returns a copy of a closed database, as a restored backup or a cloned disk would contain. */
export async function copyOf(indexedDB: IDBFactory, name: string): Promise<IDBFactory> {
  const copy = new IDBFactory()
  await withDatabase(indexedDB, name, from =>
    withDatabase(copy, name, async to => {
      await to.updates.bulkPut(await from.updates.toArray())
      await to.snapshots.bulkPut(await from.snapshots.toArray())
      await to.outbox.bulkPut(await from.outbox.toArray())
      await to.replicas.bulkPut(await from.replicas.toArray())
      await to.people.bulkPut(await from.people.toArray())
      await to.meta.bulkPut(await from.meta.toArray())
    }),
  )
  return copy
}

/** Returns the number of device databases. */
export async function countDatabases(indexedDB: IDBFactory): Promise<number> {
  const isDevice = (name = ''): boolean => !name.includes('kith-visits')
  if (!isOnSqlite) return (await indexedDB.databases()).filter(({ name }) => isDevice(name)).length
  return readdirSync(folderOf(indexedDB)).filter(file => file.endsWith('.sqlite') && isDevice(file)).length
}
