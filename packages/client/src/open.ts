import { KithError } from '@kith/shared'
import type { Kith } from './api/kith.ts'
import { systemClock, systemRandomness } from './clock.ts'
import { KithDatabase } from './database/schema.ts'
import { assemble } from './device/assemble.ts'
import { prepareDevice } from './device/prepare.ts'
import { erasureOf, forgetVisit, noteErased, noteVisit } from './device/registry.ts'
import { claimDatabase } from './device/single-open.ts'
import { patiently } from './device/storage-timeout.ts'
import { checkOptions, type KithOptions } from './options.ts'
import type { WebSocketConstructor } from './sync/socket.ts'
import { tabPlatform } from './tabs/lock.ts'
import { chooseUser } from './user.ts'

/**
 * Opens this device: reads what it holds, which needs no network, and connects unless told not to.
 *
 * Rejects with `user-required` when nothing tells whose device this is, `unauthorised` when a token that is a string names
 * nobody and no user is passed, `wrong-user` when token or database are another
 * user's, `database-in-use` when this database is open here already, `database-failed` when storage is refused or does not
 * answer: then a later attempt may succeed.
 */
export async function openKith(options: KithOptions): Promise<Kith> {
  const { url, host } = checkOptions(options)
  const { clock = systemClock, randomness = systemRandomness } = options
  const WebSocket = options.WebSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined)
  if (!WebSocket) throw new TypeError('There is no WebSocket here: pass `WebSocket`')
  const indexedDB = options.indexedDB ?? platformStorage()
  const storage = { indexedDB, IDBKeyRange: options.IDBKeyRange ?? globalThis.IDBKeyRange }
  const { user, token: firstToken } = await chooseUser(options, url, storage, clock)
  const name = options.databaseName ?? `kith:${host}:${user}`
  const tabs = tabPlatform(options.locks, options.openChannel, indexedDB)
  const release = tabs ? () => undefined : claimDatabase(indexedDB, name)

  const db = new KithDatabase(name, storage)
  const assembling = async (): Promise<Kith> => {
    await prepareDevice(db, user, randomness, clock, device => erasureOf(storage, device))
    await noteVisit(storage, url, user)
    return assemble({
      ...{ user, url, token: options.token, firstToken, db, tabs, clock, randomness, WebSocket },
      noteVisit: () => noteVisit(storage, url, user),
      erasureOf: device => erasureOf(storage, device),
      async closeDatabase() {
        db.close()
        release()
      },
      noteErased: (device, why) => noteErased(storage, device, why),
      async deleteDatabase() {
        await db.delete()
        await forgetVisit(storage, url, user)
      },
    })
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

/** Reading it throws where a page may store nothing. */
function platformStorage(): IDBFactory {
  let cause: unknown
  try {
    if (globalThis.indexedDB) return globalThis.indexedDB
  } catch (error) {
    cause = error
  }
  const message = 'No IndexedDB here: allow this site to store data, or pass `indexedDB`'
  throw new KithError('database-failed', message, { cause })
}
