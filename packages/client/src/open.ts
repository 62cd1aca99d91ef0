import { type Fields, KithError } from '@kith/shared'
import type { FieldTypes } from './api/app-types.ts'
import type { Kith } from './api/kith.ts'
import { systemClock, systemRandomness } from './clock.ts'
import { dexieStorage } from './database/dexie-storage.ts'
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
 * An app may name its fields and levels here; TypeScript then checks them in every call:
 *
 * ```ts
 * interface Card { name: string; phone?: string }
 * const kith = await openKith<Card, 'family' | 'work'>({ url, token, levels: { family: 2, work: 5 } })
 * await kith.ownProfile.set('phone', '+441632960001', { level: 'family' })
 * ```
 *
 * Rejects with
 * - `user-required` when the user is unknown: there is no token, and no user has used this url on this device;
 * - `unauthorised` when the token is a string that names no user, and `user` is not passed;
 * - `wrong-user` when the token or the database belongs to another user;
 * - `database-in-use` when another client has the database open, and tabs cannot share it;
 * - `database-newer` when a later version of Kith wrote the database: reload the app;
 * - `database-failed` when storage is refused or does not answer; a later attempt may succeed.
 *
 * Rejects with a `TypeError` for a wrong option.
 *
 * @param options - The server, the user, and where this device keeps its data.
 * @returns Resolves to the client when this device's data has been read; it may not be connected yet.
 */
export async function openKith<F extends FieldTypes<F> = Fields, L extends string = never>(
  options: KithOptions<L>,
): Promise<Kith<F, L>> {
  const { url, host, levelNames } = checkOptions(options)
  const { clock = systemClock, randomness = systemRandomness } = options
  const WebSocket = await webSocketFor(options)
  const indexedDB = options.storage ? undefined : (options.indexedDB ?? platformStorage())
  const storage =
    options.storage ?? dexieStorage({ indexedDB, IDBKeyRange: options.IDBKeyRange ?? globalThis.IDBKeyRange })
  const { user, token: firstToken } = await chooseUser(options, url, storage, clock)
  const name = options.databaseName ?? `kith:${host}:${user}`
  const tabs = indexedDB && tabPlatform(options.locks, options.openChannel, indexedDB)
  const release = tabs ? () => undefined : claimDatabase(indexedDB ?? storage, name)

  const place = { user, name, storage, clock, randomness }
  const db = storage.database(name)
  const assembling = async (): Promise<Kith<F, L>> => {
    await prepareDevice(db, place)
    await noteVisit(storage, url, user)
    return assemble<F, L>({ ...place, url, token: options.token, firstToken, db, tabs, WebSocket, levelNames, release })
  }
  try {
    const kith = await patiently(clock, assembling)
    if (options.connect !== false) kith.connect()
    return kith
  } catch (error) {
    // A storage that does not answer does not close either, so the wait is limited.
    await patiently(clock, async () => db.close()).catch(() => undefined)
    release()
    throw error
  }
}

async function webSocketFor({
  WebSocket,
  storage,
}: Pick<KithOptions, 'WebSocket' | 'storage'>): Promise<WebSocketConstructor> {
  const found = WebSocket ?? (await storage?.findWebSocket?.()) ?? globalThis.WebSocket
  if (!found) throw new TypeError('This platform has no WebSocket: pass `WebSocket`')
  return found as WebSocketConstructor
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
