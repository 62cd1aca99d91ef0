import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client'
import proxyAddress from 'proxy-addr'
import { assemble, type EngineOptions } from './assemble.ts'
import { descriptorShares } from './descriptors.ts'
import { Connections } from './http/connections.ts'
import { namesLoopback } from './http/loopback.ts'
import { ApiError } from './http/request.ts'
import { pace } from './pace.ts'
import { Places } from './socket/places.ts'
import { Upgrades } from './socket/upgrade.ts'

/** What an app's own routes may ask of the server that they stand beside. */
export interface RouteHost {
  /** The address that it listens on. */
  readonly host: string
  /** It made its secrets itself and believes no proxy: it is for this machine alone. */
  readonly isForThisMachine: boolean
  /**
   * A token for a user; rejects with `unavailable` when tokens come from an issuer elsewhere.
   *
   * @param user - The user id.
   * @returns Resolves to the token.
   */
  issueToken(user: string): Promise<string>
}

/** Adds an app's own HTTP routes, such as its pages. Kith's own are those below `/v1`, `/healthz`, `/readyz`, `/metrics`. */
export type Routes = (app: FastifyInstance, host: RouteHost) => Promise<void>

/** The options of {@link startServer}. */
export interface ServerOptions extends EngineOptions {
  host: string
  /** 0 takes any free port. */
  port: number
  /** Addresses or networks whose X-Forwarded-For is believed, as in `10.0.0.0/8`. */
  trustedProxies: readonly string[]
  /** The admin key or the token secret was made by this server. */
  hasOwnSecrets?: boolean | undefined
  routes?: Routes | undefined
  /** How many sockets may be open at a time; by default what the process may open, less what the store needs. */
  maxSockets?: number | undefined
}

/** A server that listens. */
export interface Server {
  /** As in `http://127.0.0.1:4180`. */
  readonly url: string
  /**
   * A token for a user of this server.
   *
   * @param user - The user id.
   * @param expiresInSeconds - How long it is valid; a day by default.
   * @returns Resolves to the token.
   * @throws KithError `unavailable` when tokens come from an issuer elsewhere.
   */
  issueToken(user: string, expiresInSeconds?: number): Promise<string>
  /**
   * Stops accepting, flushes, closes sockets with 1001 and the store. Can be called twice.
   *
   * @returns Resolves when the store is closed.
   * @throws The error of the store, if it does not close.
   */
  close(): Promise<void>
}

/**
 * Opens a server to the network. Resolves when it listens.
 *
 * @param options - Where it listens, and what it is made of.
 * @throws The error of the system when the port is taken or may not be used.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  pace.begin()
  const hasOpenMetrics = namesLoopback(options.host) && options.trustedProxies.length === 0
  const engine = assemble({ hasMergeThread: true, ...options, hasOpenMetrics })
  const { api, signIns, context } = engine
  const issueToken = (user: string, expiresInSeconds?: number): Promise<string> =>
    context.tokens.issue(user, expiresInSeconds)
  const { routes } = options
  const isForThisMachine = options.hasOwnSecrets === true && options.trustedProxies.length === 0
  if (routes) await api.register(async app => routes(app, { host: options.host, isForThisMachine, issueToken }))
  // Of the process: they watch it for as long as it lives.
  collectDefaultMetrics({ register: context.metrics.registry })
  const trust = proxyAddress.compile([...options.trustedProxies])
  const addressOf = (request: IncomingMessage): string => proxyAddress(request, trust)
  const connections = new Connections({
    clock: options.clock,
    mostPerAddress: options.limits.connectionsPerAddress,
    isProxy: address => trust(address, 0),
  })
  connections.attach(api.server)
  api.addHook('onRequest', async ({ raw: request }, { raw: response }) => {
    if (connections.admitsRequest(request, response, addressOf(request))) return
    response.setHeader('connection', 'close')
    throw new ApiError(429, 'too-many-connections', 'too many connections from this address: try again later')
  })
  const places = new Places(options.maxSockets ?? descriptorShares().sockets)
  countSockets(context.metrics.registry, () => places.openCount)
  api.server.on('connection', socket => places.admit(socket))
  api.server.on('request', ({ socket }, response) => {
    places.stir(socket)
    response.once('close', () => places.hush(socket))
  })
  const upgrades = new Upgrades({ signIns, places, limits: options.limits, addressOf, connections })
  api.server.on('upgrade', (request, socket, head) => {
    upgrades.upgrade(request, socket, head).catch((error: unknown) => {
      options.log.error({ err: error }, 'an upgrade failed')
      socket.destroy()
    })
  })
  try {
    await engine.join()
    await api.listen({ host: options.host, port: options.port })
  } catch (error) {
    await engine.close()
    throw error
  }
  engine.isReady = true

  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    await engine.close()
    upgrades.close()
  }

  return {
    url: urlOf(options.host, api.server.address() as AddressInfo),
    issueToken,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function countSockets(registry: Registry, count: () => number): void {
  new Gauge({
    name: 'kith_sockets',
    help: 'Sockets that are open, requests and sign-ins among them',
    registers: [registry],
    collect() {
      this.set(count())
    },
  })
}

function urlOf(host: string, { port }: AddressInfo): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
