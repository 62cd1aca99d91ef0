import type { AddressInfo } from 'node:net'
import { collectDefaultMetrics } from 'prom-client'
import proxyAddress from 'proxy-addr'
import { assemble, type EngineOptions } from './assemble.ts'
import { Upgrades } from './socket/upgrade.ts'

export interface ServerOptions extends EngineOptions {
  host: string
  /** 0 takes any free port. */
  port: number
  /** Addresses or networks whose X-Forwarded-For is believed, as in `10.0.0.0/8`. */
  trustedProxies: readonly string[]
}

export interface Server {
  /** As in `http://127.0.0.1:4180`. */
  readonly url: string
  /** A token for a user of this server. */
  issueToken(user: string, expiresInSeconds?: number): Promise<string>
  /** Stops accepting, flushes, closes sockets with 1001 and the store. Can be called twice. */
  close(): Promise<void>
}

/** Opens a server to the network. Resolves when it listens. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const engine = assemble(options)
  const { api, door, context } = engine
  // Of the process: they watch it for as long as it lives.
  collectDefaultMetrics({ register: context.metrics.registry })
  const trust = proxyAddress.compile([...options.trustedProxies])
  const upgrades = new Upgrades(door, options.limits, request => proxyAddress(request, trust))
  api.server.on('upgrade', (request, socket, head) => {
    upgrades.upgrade(request, socket, head).catch((error: unknown) => {
      options.log.error({ err: error }, 'an upgrade failed')
      socket.destroy()
    })
  })
  await api.listen({ host: options.host, port: options.port })
  engine.isReady = true

  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    await engine.close()
    upgrades.close()
  }

  return {
    url: urlOf(options.host, api.server.address() as AddressInfo),
    issueToken: (user, expiresInSeconds) => context.tokens.issue(user, expiresInSeconds),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function urlOf(host: string, { port }: AddressInfo): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
