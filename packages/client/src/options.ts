import type { LevelNames } from './api/app-types.ts'
import { checkBoolean, checkIsObject, checkNotEmpty, wrong } from './api/arguments.ts'
import { checkLevelNames } from './api/levels.ts'
import type { Clock, Randomness } from './clock.ts'
import type { DeviceStorage } from './database/contract.ts'
import type { WebSocketConstructor } from './sync/socket.ts'
import type { OpenTabChannel } from './tabs/channel.ts'
import type { LockManagerLike } from './tabs/lock.ts'
import type { TokenSource } from './token.ts'

/** The options of `openKith`. */
export interface KithOptions<L extends string = never> {
  /** The server's address, such as `wss://kith.example.org`. */
  url: string
  token: TokenSource
  /**
   * The user id. By default, the user of the token. If the token function returns no token now, the last user of this url on
   * this device.
   */
  user?: string
  /** The app's names for levels, such as `{ family: 2 }`. Every call that takes a level accepts these names too. */
  levels?: LevelNames<L>
  /** `false` starts offline; call `connect()` later. */
  connect?: boolean
  /** The name of this device's database. By default, it consists of the host and the user id. */
  databaseName?: string
  /** Where this device keeps its data, outside browsers: `sqlite(folder)` of `@kith/client/sqlite`. By default, IndexedDB. */
  storage?: DeviceStorage
  /** Replaces the platform's IndexedDB, for tests. */
  indexedDB?: IDBFactory
  IDBKeyRange?: typeof IDBKeyRange
  WebSocket?: WebSocketConstructor
  /** Replaces the platform's clock and random numbers, for tests. */
  clock?: Clock
  randomness?: Randomness
  /** Replaces `navigator.locks`; needs `openChannel`. With `null`, no other client may open the database. */
  locks?: LockManagerLike | null
  /** Replaces `BroadcastChannel`, with which tabs check whether the tab with the connection is alive. Needs `locks`. */
  openChannel?: OpenTabChannel
}

interface CheckedOptions {
  /** In normalised form. */
  url: string
  /** The part of the url that names the server. */
  host: string
  levelNames: LevelNames
}

/** Throws a `TypeError` for a wrong option. */
export function checkOptions<L extends string>(options: KithOptions<L>): CheckedOptions {
  checkIsObject(options)
  const { url, token, levels, connect, databaseName, storage, indexedDB, locks, openChannel } = options
  // The message does not contain the given value: it may be a secret.
  if (typeof token !== 'string' && typeof token !== 'function')
    throw new TypeError(`token must be a string or a function that returns one, and its type is ${typeof token}`)
  if (connect !== undefined) checkBoolean(connect, 'connect')
  if (databaseName !== undefined) checkNotEmpty(databaseName, 'databaseName')
  if (storage !== undefined && typeof storage?.database !== 'function') {
    throw wrong('storage', 'that of sqlite(folder), as in @kith/client/sqlite', storage)
  }
  if (storage && (indexedDB || locks || openChannel)) {
    throw new TypeError(
      'storage is instead of indexedDB, and tabs do not share it: pass no indexedDB, locks or openChannel',
    )
  }
  if (openChannel && !locks) throw new TypeError('openChannel needs locks: pass both')
  const parsed = parseUrl(url)
  if (parsed?.protocol !== 'ws:' && parsed?.protocol !== 'wss:')
    throw wrong('url', 'an address that begins with ws:// or wss://', url)
  const path = parsed.pathname.replace(/\/+$/, '')
  return {
    url: `${parsed.protocol}//${parsed.host}${path}`,
    host: `${parsed.host}${path}`,
    levelNames: levels === undefined ? {} : checkLevelNames(levels),
  }
}

function parseUrl(url: unknown): URL | undefined {
  if (typeof url !== 'string') return undefined
  try {
    return new URL(url) // Not `URL.canParse`: jsdom before 26 lacks it.
  } catch {
    return undefined
  }
}
