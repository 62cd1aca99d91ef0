import { type Audience, defaultLimits, type Limits } from '@kith/shared'
import { type Logger, pino } from 'pino'
import { type Clock, systemClock } from '../clock.ts'
import type { Store } from '../relations/store.ts'
import { startServer } from '../server.ts'
import { openMemoryStore } from '../store/level/open.ts'

/** How a test's server differs from the default. All settings are optional. */
export interface TestServerOptions {
  /** Limits that differ from the default ones. */
  limits?: Partial<Limits> | undefined
  /** The widest audience that the messages of any user have. Default: everyone. */
  messagePolicy?: Audience | undefined
  /** The server's time. Default: the machine's clock. With a `TestClock`, the test can move it. */
  clock?: Clock | undefined
  /** Where the server keeps its data. Default: a store in memory. The server closes the store when it stops. */
  store?: Store | undefined
  /** Default: a free port. A test that restarts a server passes the port of the previous one. */
  port?: number | undefined
  /** Addresses or networks whose X-Forwarded-For is trusted. Default: none. */
  trustedProxies?: readonly string[] | undefined
  /** How many sockets may be open at a time. */
  maxSockets?: number | undefined
  /** The key of the backend's API, if the test needs a certain one. */
  adminKey?: string | undefined
  /** Default: nothing is logged. */
  log?: Logger | undefined
}

/** A response of the backend's API. */
export interface AdminResponse {
  status: number
  /** The parsed JSON, the text if it is not JSON, or `undefined` if it is empty. */
  body: unknown
}

/** A real server of this process, on the loopback interface. Nothing outside this machine can reach it. */
export interface TestServer {
  /** The address of the HTTP API, as in `http://127.0.0.1:40123`. */
  readonly url: string
  /** The address for devices, as in `ws://127.0.0.1:40123`: the `url` of `openKith`. */
  readonly wsUrl: string
  readonly port: number
  /** The key of the backend's API. */
  readonly adminKey: string
  /**
   * Resolves to a token for a user; without `expiresInSeconds` it is valid for a day of the server's clock.
   *
   * @param user - The user id.
   * @throws The error of a store that was passed, if it cannot be read.
   */
  issueToken(user: string, expiresInSeconds?: number): Promise<string>
  /**
   * Calls the backend's API with the admin key, as in `admin('DELETE', '/v1/users/bob')`.
   *
   * @param method - The HTTP method.
   * @param path - The path, with percent-encoded ids.
   * @param body - Sent as JSON, if there is one.
   * @returns Resolves to the response, whatever its status.
   * @throws The error of `fetch`, if the server is closed.
   */
  admin(method: string, path: string, body?: unknown): Promise<AdminResponse>
  /**
   * Ends all connections, and closes the store. Resolves when both are closed. Can be called twice.
   *
   * @throws The error of a store that was passed, if it does not close.
   */
  close(): Promise<void>
}

const secret = new TextEncoder().encode('the token secret of a test server')

/**
 * Starts a server for a test, on a free port of the loopback interface, with a store in memory. Resolves when it listens.
 *
 * Rejects with the error of the system if `port` is taken. The caller closes the server. If the start fails, a `store` that was
 * passed stays open.
 *
 * @param options - Differences from a server with default limits and a store in memory.
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const limits = { ...defaultLimits, ...options.limits }
  const { clock = systemClock, log = pino({ level: 'silent' }), adminKey = 'the admin key of a test server' } = options
  const server = await startServer({
    store: options.store ?? (await openMemoryStore({ limits, clock })),
    ...{ host: '127.0.0.1', port: options.port ?? 0 },
    ...{ tokens: { secret }, adminKey, limits, clock, log },
    trustedProxies: options.trustedProxies ?? [],
    maxSockets: options.maxSockets,
    messagePolicy: options.messagePolicy,
  })
  const { url } = server
  return {
    url,
    wsUrl: url.replace(/^http/, 'ws'),
    port: Number(new URL(url).port),
    adminKey,
    issueToken: (user, expiresInSeconds) => server.issueToken(user, expiresInSeconds),
    async admin(method, path, body) {
      const response = await fetch(url + path, {
        method,
        // One connection for each call, because the server closes an idle one while the test moves the clock.
        headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json', connection: 'close' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: parsed(await response.text()) }
    },
    close: () => server.close(),
  }
}

function parsed(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
