import type { Server as HttpServer, IncomingMessage, RequestListener } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { Network } from './network.ts'

/** Kith's own paths. All others belong to the app. */
const kithPaths = /^\/v1\/(roster|users|pairs|communication|visibility|webhooks|openapi\.json)(?=[/?]|$)/

function isKith({ url = '' }: IncomingMessage): boolean {
  return kithPaths.test(url)
}

/**
 * Serves Kith's paths on an app's HTTP server, beside what it already serves. All other requests and upgrades go to the app's
 * listeners. Returns a function that removes Kith from the server.
 */
export function attachTo(server: HttpServer, api: FastifyInstance, network: Network): () => void {
  const others = server.listeners('request') as RequestListener[]
  const onRequest: RequestListener = (request, response) => {
    if (isKith(request)) {
      network.expect(request, response)
      return api.routing(request, response)
    }
    for (const other of others) other.call(server, request, response)
  }
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (isKith(request)) network.upgrade(request, socket, head)
    // No other listener would ever end it.
    else if (server.listenerCount('upgrade') === 1) socket.destroy()
  }
  for (const other of others) server.off('request', other)
  server.on('request', onRequest)
  server.on('upgrade', onUpgrade)
  return () => {
    server.off('request', onRequest)
    server.off('upgrade', onUpgrade)
    for (const other of others) server.on('request', other)
  }
}
