import { type DeviceStorage, sqlite } from '@kith/client/sqlite'
import { folderOf } from './sqlite-folders.ts'

/**
 * In the run of the client's tests on SQLite this module stands in the place of `dexie-storage.ts`: what a test passes as
 * the IndexedDB of a device names a folder.
 */
export function dexieStorage({ indexedDB }: { indexedDB: IDBFactory }): DeviceStorage {
  return sqlite(folderOf(indexedDB))
}

/** Tests that need Dexie itself are skipped in that run: see `sqlite-run.ts`. */
export class DexieDatabase {}
