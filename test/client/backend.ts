import { type Kith, type KithOptions, openKith } from '@kith/client'
import { openMemoryStore, type Server, type Store, startServer, systemClock } from '@kith/server'
import { defaultLimits, type Limits } from '@kith/shared'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

const adminKey = 'the admin key of these tests'
const silent: Record<string, unknown> = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  trace: nothing,
  child,
}

function nothing(): void {
  // What the server logs is no matter of these tests.
}

function child(): unknown {
  return silent
}

/** A real server on a free port of this machine, and devices of its users. Ends with the test. */
export interface Backend {
  readonly server: Server
  readonly url: string
  readonly wsUrl: string
  /** A device with a storage of its own, connected. */
  device(user: string, options?: Partial<KithOptions>): Promise<Kith>
  /** Opens the client on given storage; the same storage is the same device. */
  open(user: string, options: Partial<KithOptions>): Promise<Kith>
  token(user: string, expiresInSeconds?: number): Promise<string>
  admin(method: string, path: string, body?: unknown): Promise<Response>
}

/** `over` may lay something between the server and its store. */
export async function backend(
  limits: Partial<Limits> = {},
  over: (store: Store) => Store = store => store,
): Promise<Backend> {
  const all = { ...defaultLimits, ...limits }
  const server = await startServer({
    store: over(await openMemoryStore({ limits: all, clock: systemClock })),
    host: '127.0.0.1',
    port: 0,
    tokens: { secret: new TextEncoder().encode('a secret of these tests, long enough') },
    adminKey,
    limits: all,
    trustedProxies: [],
    clock: systemClock,
    log: silent as unknown as Parameters<typeof startServer>[0]['log'],
  })
  onTestFinished(() => server.close())
  const wsUrl = server.url.replace('http', 'ws')
  const open = async (user: string, options: Partial<KithOptions>): Promise<Kith> => {
    const kith = await openKith({
      url: wsUrl,
      token: () => server.issueToken(user),
      user,
      IDBKeyRange,
      WebSocket,
      ...options,
    })
    onTestFinished(() => kith.close())
    return kith
  }
  return {
    server,
    url: server.url,
    wsUrl,
    open,
    device: (user, options = {}) => open(user, { indexedDB: new IDBFactory(), ...options }),
    token: (user, seconds) => server.issueToken(user, seconds),
    admin: (method, path, body) =>
      fetch(server.url + path, {
        method,
        headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  }
}
