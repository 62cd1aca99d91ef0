import { KithError } from '@kith/shared'
import { systemClock, systemRandomness } from './clock.ts'
import { Listeners } from './events.ts'
import { type Internals, Kith } from './kith.ts'
import type { LinkPort } from './link/port.ts'
import { newNonce } from './nonce.ts'
import { checkOptions, type KithOptions } from './options.ts'
import { KithDatabase } from './storage/database.ts'
import { claimDatabase } from './storage/exclusive.ts'
import { dropFetched, prepareDevice } from './storage/prepare.ts'
import { Store } from './storage/store.ts'
import { forgetVisit, noteVisit } from './storage/visits.ts'
import { chooseUser } from './user.ts'

/**
 * Opens this device: reads what it holds, which needs no network, and connects unless told not to.
 *
 * Rejects with `user-required` when nothing tells whose device this is, `wrong-user` when token or database are another
 * user's, `database-in-use` when this database is open here already, `database-failed` when there is no storage.
 */
export async function openKith(options: KithOptions): Promise<Kith> {
  const { url, host } = checkOptions(options)
  const { clock = systemClock, randomness = systemRandomness } = options
  const indexedDB = options.indexedDB ?? globalThis.indexedDB
  if (!indexedDB) throw new KithError('database-failed', 'There is no IndexedDB here: pass `indexedDB`')
  const database = { indexedDB, IDBKeyRange: options.IDBKeyRange ?? globalThis.IDBKeyRange }
  const { user, token: _token } = await chooseUser(options, url, database, clock)
  const name = options.databaseName ?? `kith:${host}:${user}`

  const release = claimDatabase(indexedDB, name)
  const db = new KithDatabase(name, database)
  try {
    await prepareDevice(db, user, randomness)
    await dropFetched(db)
    await noteVisit(database, url, user)
    let kith: Kith | undefined
    const store = await Store.open(db, outcome => kith?.committed(outcome))
    const link: LinkPort = {
      connect: () => undefined,
      disconnect: () => undefined,
      fetch: async () => undefined,
      send: async () => 'undelivered',
      whenSynced: () => new Promise(() => undefined),
      close: async () => undefined,
    }
    const internals: Internals = {
      user,
      store,
      link,
      newNonce: () => newNonce(randomness),
      async closeDatabase() {
        db.close()
        release()
      },
      async deleteDatabase() {
        await db.delete()
        await forgetVisit(database, url, user)
      },
    }
    kith = new Kith(internals, new Listeners())
    return kith
  } catch (error) {
    db.close()
    release()
    if (error instanceof KithError) throw error
    throw new KithError('database-failed', `The database could not be opened: ${String(error)}`, { cause: error })
  }
}
