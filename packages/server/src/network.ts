import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client'
import proxyAddress from 'proxy-addr'
import type { Engine, EngineOptions } from './assemble.ts'
import { descriptorShares } from './descriptors.ts'
import { Connections } from './http/connections.ts'
import { ApiError } from './http/request.ts'
import { Places } from './socket/places.ts'
import { Upgrades } from './socket/upgrade.ts'

export interface NetworkOptions extends Pick<EngineOptions, 'clock' | 'limits' | 'log'> {
  /** Addresses or networks whose X-Forwarded-For is trusted, as in `10.0.0.0/8`. */
  trustedProxies: readonly string[]
  /** How many sockets may be open at a time. Default: the process's limit, less what the store needs. */
  maxSockets?: number | undefined
}

/** Connects an engine with HTTP servers: places for sockets, limits for each address, and websockets. */
export interface Network {
  /** Limits all connections to a server that belongs to Kith. */
  guard(server: HttpServer): void
  /** Limits a request to a server that belongs to the app. */
  expect(request: IncomingMessage, response: ServerResponse): void
  /** Upgrades a request to a websocket, or ends it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): void
}

export function openNetwork({ api, signIns, context }: Engine, options: NetworkOptions): Network {
  // Metrics of the process. They are collected for as long as the process lives.
  collectDefaultMetrics({ register: context.metrics.registry })
  const trust = proxyAddress.compile([...options.trustedProxies])
  const addressOf = (request: IncomingMessage): string => proxyAddress(request, trust)
  const connections = new Connections({
    clock: options.clock,
    mostPerAddress: options.limits.connectionsPerAddress,
    isProxy: address => trust(address, 0),
  })
  api.addHook('onRequest', async ({ raw: request }, { raw: response }) => {
    if (connections.admitsRequest(request, response, addressOf(request))) return
    response.setHeader('connection', 'close')
    throw new ApiError(429, 'too-many-connections', 'too many connections from this address: try again later')
  })
  const places = new Places(options.maxSockets ?? descriptorShares().sockets)
  countSockets(context.metrics.registry, () => places.openCount)
  const upgrades = new Upgrades({ signIns, places, limits: options.limits, addressOf, connections })
  return {
    guard(server) {
      connections.attach(server)
      server.on('connection', socket => places.admit(socket))
      server.on('request', ({ socket }, response) => {
        places.stir(socket)
        response.once('close', () => places.hush(socket))
      })
    },
    expect: (request, response) => connections.expect(request, response),
    upgrade(request, socket, head) {
      upgrades.upgrade(request, socket, head).catch((error: unknown) => {
        options.log.error({ err: error }, 'an upgrade failed')
        socket.destroy()
      })
    },
    close: () => upgrades.close(),
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
