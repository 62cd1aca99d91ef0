import { checkBoolean, checkIsObject } from './api/arguments.ts'
import type { Clock, Randomness } from './clock.ts'
import type { WebSocketConstructor } from './sync/socket.ts'
import type { OpenTabChannel } from './tabs/channel.ts'
import type { LockManagerLike } from './tabs/lock.ts'
import type { TokenSource } from './token.ts'

export interface KithOptions {
  /** The server's address, such as `wss://kith.example.org`. */
  url: string
  token: TokenSource
  /** The user id. Absent: the token's; with a token function that gives none now, that of the last visit to this url. */
  user?: string
  /** `false` starts offline, until `connect()`. */
  connect?: boolean
  /** The IndexedDB database of this device; by default named after host and user. */
  databaseName?: string
  /** Instead of the platform's, for Node and tests. */
  indexedDB?: IDBFactory
  IDBKeyRange?: typeof IDBKeyRange
  WebSocket?: WebSocketConstructor
  /** Instead of the platform's, for tests. */
  clock?: Clock
  randomness?: Randomness
  /** Instead of `navigator.locks`; `null`: this database is opened once, by this client alone. Needs `openChannel`. */
  locks?: LockManagerLike | null
  /** Instead of `BroadcastChannel`, by which tabs hear whether the one with the connection is alive. Needs `locks`. */
  openChannel?: OpenTabChannel
}

/** Wrong options are programming mistakes: this throws a `TypeError`. */
export function checkOptions(options: KithOptions): { url: string; host: string } {
  checkIsObject(options)
  const { url, token, connect, databaseName, locks, openChannel } = options
  if (typeof token !== 'string' && typeof token !== 'function')
    throw new TypeError('token must be a string or a function')
  if (connect !== undefined) checkBoolean(connect, 'connect')
  if (databaseName !== undefined && (typeof databaseName !== 'string' || databaseName === '')) {
    throw new TypeError('databaseName must be a string')
  }
  if (openChannel && !locks) throw new TypeError('openChannel is passed together with locks')
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
