import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { assemble, type EngineOptions } from './assemble.ts'
import { namesLoopback } from './http/loopback.ts'
import { type NetworkOptions, openNetwork } from './network.ts'
import { pace } from './pace.ts'

/** What an app's own routes may use of the server that serves them. */
export interface RouteHost {
  /** The address on which it listens. */
  readonly host: string
  /** It made its secrets itself and trusts no proxy, so it is for this machine alone. */
  readonly isForThisMachine: boolean
  /**
   * Issues a token for a user. Rejects with `unavailable` if tokens come from another issuer.
   *
   * @param user - The user id.
   * @returns Resolves to the token.
   */
  issueToken(user: string): Promise<string>
}

/** Adds an app's own HTTP routes, such as its pages. Kith's own routes are below `/v1`, `/healthz`, `/readyz`, `/metrics`. */
export type Routes = (app: FastifyInstance, host: RouteHost) => Promise<void>

/** The options of {@link startServer}. */
export interface ServerOptions extends EngineOptions, NetworkOptions {
  host: string
  /** 0 takes any free port. */
  port: number
  /** The admin key or the token secret was made by this server. */
  hasOwnSecrets?: boolean | undefined
  routes?: Routes | undefined
}

/** A server that listens. */
export interface Server {
  /** As in `http://127.0.0.1:4180`. */
  readonly url: string
  /**
   * Issues a token for a user of this server.
   *
   * @param user - The user id.
   * @param expiresInSeconds - How long it is valid; a day by default.
   * @returns Resolves to the token.
   * @throws KithError `unavailable` if tokens come from another issuer.
   */
  issueToken(user: string, expiresInSeconds?: number): Promise<string>
  /**
   * Stops accepting connections, flushes, closes sockets with 1001, and closes the store. Can be called twice.
   *
   * @returns Resolves when the store is closed.
   * @throws The error of the store, if it does not close.
   */
  close(): Promise<void>
}

/**
 * Starts a server on the network. Resolves when it listens.
 *
 * @param options - Where it listens, and its parts.
 * @throws The system's error, if the port is taken or may not be used.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  pace.begin()
  const hasOpenMetrics = namesLoopback(options.host) && options.trustedProxies.length === 0
  const engine = assemble({ hasMergeThread: true, ...options, hasOpenMetrics })
  const { api, context } = engine
  const issueToken = (user: string, expiresInSeconds?: number): Promise<string> =>
    context.tokens.issue(user, expiresInSeconds)
  const { routes } = options
  const isForThisMachine = options.hasOwnSecrets === true && options.trustedProxies.length === 0
  if (routes) await api.register(async app => routes(app, { host: options.host, isForThisMachine, issueToken }))
  const network = openNetwork(engine, options)
  network.guard(api.server)
  api.server.on('upgrade', (request, socket, head) => network.upgrade(request, socket, head))
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
    network.close()
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

export function urlOf(host: string, { port }: AddressInfo): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
