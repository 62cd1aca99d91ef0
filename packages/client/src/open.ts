import { KithError } from '@kith/shared'
import { systemClock, systemRandomness } from './clock.ts'
import { Listeners } from './events.ts'
import { type Internals, Kith } from './kith.ts'
import type { LinkHost } from './link/host.ts'
import { Link } from './link/link.ts'
import type { WebSocketConstructor } from './link/socket.ts'
import { newNonce } from './nonce.ts'
import { checkOptions, type KithOptions } from './options.ts'
import { KithDatabase } from './storage/database.ts'
import { retryRefused } from './storage/edit.ts'
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
  const WebSocket = options.WebSocket ?? (globalThis.WebSocket as unknown as WebSocketConstructor | undefined)
  if (!WebSocket) throw new TypeError('There is no WebSocket here: pass `WebSocket`')
  const database = { indexedDB, IDBKeyRange: options.IDBKeyRange ?? globalThis.IDBKeyRange }
  const { user, token } = await chooseUser(options, url, database, clock)
  const name = options.databaseName ?? `kith:${host}:${user}`

  const release = claimDatabase(indexedDB, name)
  const db = new KithDatabase(name, database)
  try {
    await prepareDevice(db, user, randomness)
    await dropFetched(db)
    await noteVisit(database, url, user)
    let kith: Kith | undefined
    let link: Link | undefined
    const store = await Store.open(db, outcome => {
      kith?.committed(outcome)
      if (outcome.hasWritten) link?.wake()
    })
    await retryRefused(store)
    const host: LinkHost = {
      user,
      url,
      token: options.token,
      store,
      clock,
      randomness,
      WebSocket,
      setStatus: status => kith?.setStatus(status),
      failed: error => kith?.failed(error),
      received: async message => kith?.received(message),
    }
    const ownLink = new Link(host, token)
    link = ownLink
    const onOnline = (): void => ownLink.retryNow()
    globalThis.addEventListener?.('online', onOnline)
    const internals: Internals = {
      user,
      store,
      link: ownLink,
      newNonce: () => newNonce(randomness),
      async closeDatabase() {
        globalThis.removeEventListener?.('online', onOnline)
        db.close()
        release()
      },
      async deleteDatabase() {
        await db.delete()
        await forgetVisit(database, url, user)
      },
    }
    kith = new Kith(internals, new Listeners())
    if (options.connect !== false) kith.connect()
    return kith
  } catch (error) {
    db.close()
    release()
    if (error instanceof KithError) throw error
    throw new KithError('database-failed', `The database could not be opened: ${String(error)}`, { cause: error })
  }
}
