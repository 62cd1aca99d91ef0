import { checkBoolean, checkIsObject } from './api/arguments.ts'
import type { Clock, Randomness } from './clock.ts'
import type { DeviceStorage } from './database/contract.ts'
import type { WebSocketConstructor } from './sync/socket.ts'
import type { OpenTabChannel } from './tabs/channel.ts'
import type { LockManagerLike } from './tabs/lock.ts'
import type { TokenSource } from './token.ts'

export interface KithOptions {
  /** The server's address, such as `wss://kith.example.org`. */
  url: string
  token: TokenSource
  /**
   * The user id. If absent, the user of the token counts. If the token function gives no token now, the user who used this url
   * on this device last counts.
   */
  user?: string
  /** `false` starts offline; call `connect()` later. */
  connect?: boolean
  /** The name of this device's database. By default it is made of the host and the user id. */
  databaseName?: string
  /** Where this device keeps its data, outside browsers: `sqlite(folder)` of `@kith/client/sqlite`. By default IndexedDB. */
  storage?: DeviceStorage
  /** Replaces the platform's IndexedDB, for tests. */
  indexedDB?: IDBFactory
  IDBKeyRange?: typeof IDBKeyRange
  WebSocket?: WebSocketConstructor
  /** Replaces the platform's clock and random numbers, for tests. */
  clock?: Clock
  randomness?: Randomness
  /** Replaces `navigator.locks`; needs `openChannel`. With `null`, only this client may open the database. */
  locks?: LockManagerLike | null
  /** Replaces `BroadcastChannel`, by which tabs learn whether the tab with the connection is alive. Needs `locks`. */
  openChannel?: OpenTabChannel
}

/** Returns the url in its normal form, and the part of it that names the server. Throws a `TypeError` for a wrong option. */
export function checkOptions(options: KithOptions): { url: string; host: string } {
  checkIsObject(options)
  const { url, token, connect, databaseName, storage, indexedDB, locks, openChannel } = options
  if (typeof token !== 'string' && typeof token !== 'function')
    throw new TypeError('token must be a string or a function')
  if (connect !== undefined) checkBoolean(connect, 'connect')
  if (databaseName !== undefined && (typeof databaseName !== 'string' || databaseName === '')) {
    throw new TypeError('databaseName must be a string that is not empty')
  }
  if (storage !== undefined && typeof storage?.database !== 'function') {
    throw new TypeError('storage must be that of sqlite(folder), as in @kith/client/sqlite')
  }
  if (storage && (indexedDB || locks || openChannel)) {
    throw new TypeError(
      'storage is instead of indexedDB, and tabs do not share it: pass no indexedDB, locks or openChannel',
    )
  }
  if (openChannel && !locks) throw new TypeError('openChannel needs locks: pass both')
  const parsed = parseUrl(url)
  if (parsed?.protocol !== 'ws:' && parsed?.protocol !== 'wss:')
    throw new TypeError('url must begin with ws:// or wss://')
  const path = parsed.pathname.replace(/\/+$/, '')
  return { url: `${parsed.protocol}//${parsed.host}${path}`, host: `${parsed.host}${path}` }
}

function parseUrl(url: unknown): URL | undefined {
  if (typeof url !== 'string') return undefined
  try {
    return new URL(url) // Not `URL.canParse`: jsdom before 26 lacks it.
  } catch {
    return undefined
  }
}
