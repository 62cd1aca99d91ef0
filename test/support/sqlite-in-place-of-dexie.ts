import { type DeviceStorage, sqlite } from '@kith/client/sqlite'
import { folderOf } from './sqlite-folders.ts'

/**
 * In the run of the client's tests on SQLite, this module replaces `dexie-storage.ts`. The IndexedDB that a test passes for a
 * device then names a folder.
 */
export function dexieStorage({ indexedDB }: { indexedDB: IDBFactory }): DeviceStorage {
  return sqlite(folderOf(indexedDB))
}

/** Tests that need Dexie itself are skipped in the run on SQLite: see `sqlite-run.ts`. */
export class DexieDatabase {}
