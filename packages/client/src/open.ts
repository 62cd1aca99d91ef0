import { KithError } from '@kith/shared'
import { assemble } from './assemble.ts'
import { systemClock, systemRandomness } from './clock.ts'
import type { Kith } from './kith.ts'
import type { WebSocketConstructor } from './link/socket.ts'
import { checkOptions, type KithOptions } from './options.ts'
import { KithDatabase } from './storage/database.ts'
import { claimDatabase } from './storage/exclusive.ts'
import { prepareDevice } from './storage/prepare.ts'
import { forgetVisit, noteVisit } from './storage/visits.ts'
import { locksFor } from './tabs/lock.ts'
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
  const WebSocket = options.WebSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined)
  if (!WebSocket) throw new TypeError('There is no WebSocket here: pass `WebSocket`')
  const database = { indexedDB, IDBKeyRange: options.IDBKeyRange ?? globalThis.IDBKeyRange }
  const { user, token: firstToken } = await chooseUser(options, url, database, clock)
  const name = options.databaseName ?? `kith:${host}:${user}`
  const locks = locksFor(options.locks, indexedDB)
  const release = locks ? () => undefined : claimDatabase(indexedDB, name)

  const db = new KithDatabase(name, database)
  try {
    await prepareDevice(db, user, randomness)
    await noteVisit(database, url, user)
    const kith = await assemble({
      ...{ user, url, token: options.token, firstToken, db, locks, clock, randomness, WebSocket },
      async closeDatabase() {
        db.close()
        release()
      },
      async deleteDatabase() {
        await db.delete()
        await forgetVisit(database, url, user)
      },
    })
    if (options.connect !== false) kith.connect()
    return kith
  } catch (error) {
    db.close()
    release()
    if (error instanceof KithError) throw error
    throw new KithError('database-failed', `The database could not be opened: ${String(error)}`, { cause: error })
  }
}
