import { KithError } from '@kith/shared'
import type { Kith } from './api/kith.ts'
import { systemClock, systemRandomness } from './clock.ts'
import { KithDatabase } from './database/schema.ts'
import { assemble } from './device/assemble.ts'
import { prepareDevice } from './device/prepare.ts'
import { noteVisit } from './device/registry.ts'
import { claimDatabase } from './device/single-open.ts'
import { patiently } from './device/storage-timeout.ts'
import { checkOptions, type KithOptions } from './options.ts'
import type { WebSocketConstructor } from './sync/socket.ts'
import { tabPlatform } from './tabs/lock.ts'
import { chooseUser } from './user.ts'

/**
 * Opens this device. Reads its database, which needs no network, and connects unless `connect` is false.
 *
 * Rejects with
 * - `user-required` when the user is not known: no token can be had, and no user has used this url on this device;
 * - `unauthorised` when the token is a string that names no user, and `user` is not passed;
 * - `wrong-user` when the token or the database belongs to another user;
 * - `database-in-use` when another client has the database open, and tabs cannot share it;
 * - `database-newer` when a later version of Kith wrote the database, and the app is to be loaded anew;
 * - `database-failed` when storage is refused or does not answer; a later attempt may succeed.
 *
 * A wrong option is a `TypeError`.
 */
export async function openKith(options: KithOptions): Promise<Kith> {
  const { url, host } = checkOptions(options)
  const { clock = systemClock, randomness = systemRandomness } = options
  const WebSocket = options.WebSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined)
  if (!WebSocket) throw new TypeError('This platform has no WebSocket: pass `WebSocket`')
  const indexedDB = options.indexedDB ?? platformStorage()
  const storage = { indexedDB, IDBKeyRange: options.IDBKeyRange ?? globalThis.IDBKeyRange }
  const { user, token: firstToken } = await chooseUser(options, url, storage, clock)
  const name = options.databaseName ?? `kith:${host}:${user}`
  const tabs = tabPlatform(options.locks, options.openChannel, indexedDB)
  const release = tabs ? () => undefined : claimDatabase(indexedDB, name)

  const place = { user, name, storage, clock, randomness }
  const db = new KithDatabase(name, storage, () => undefined)
  const assembling = async (): Promise<Kith> => {
    await prepareDevice(db, place)
    await noteVisit(storage, url, user)
    return assemble({ ...place, url, token: options.token, firstToken, db, tabs, WebSocket, release })
  }
  try {
    const kith = await patiently(clock, assembling)
    if (options.connect !== false) kith.connect()
    return kith
  } catch (error) {
    db.close()
    release()
    throw error
  }
}

/** Returns the platform's IndexedDB. Reading it throws in a page that may not store data. */
function platformStorage(): IDBFactory {
  let cause: unknown
  try {
    if (globalThis.indexedDB) return globalThis.indexedDB
  } catch (error) {
    cause = error
  }
  const message = 'This platform has no IndexedDB: allow this site to store data, or pass `indexedDB`'
  throw new KithError('database-failed', message, { cause })
}
