import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { isUserId, type Limits } from '@kith/shared'
import { WebSocketServer } from 'ws'
import type { Connections } from '../http/connections.ts'
import { KithSocket } from './kith-socket.ts'
import type { Places } from './places.ts'
import { crowded, noRoom, type Refusal } from './refusal.ts'
import { type SignIns, selectSubprotocol } from './sign-in.ts'

const pathPrefix = '/v1/roster/'

/**
 * A device that is gone does not answer a close frame, and its socket costs a descriptor. `ws` has this option, but its types
 * do not.
 */
const closing: object = { closeTimeout: 10_000 }

export interface UpgradeOptions {
  signIns: SignIns
  places: Places
  limits: Limits
  /** The address from which a request comes, for the limit per address. */
  addressOf: (request: IncomingMessage) => string
  connections: Connections
}

/** Upgrades HTTP requests to websockets, and signs in their devices. */
export class Upgrades {
  #signIns: SignIns
  #places: Places
  #addressOf: (request: IncomingMessage) => string
  #connections: Connections
  #server: WebSocketServer

  constructor({ signIns, places, limits, addressOf, connections }: UpgradeOptions) {
    this.#signIns = signIns
    this.#places = places
    this.#addressOf = addressOf
    this.#connections = connections
    this.#server = new WebSocketServer({
      noServer: true,
      // With compression, sizes would reveal what a device may not see. It also costs memory for each socket.
      perMessageDeflate: false,
      // A ping is answered after it has been counted.
      autoPong: false,
      maxPayload: Math.max(limits.rosterBytes, limits.frameBytes) + 1024,
      handleProtocols: selectSubprotocol,
      WebSocket: KithSocket,
      ...closing,
    })
  }

  /** A failed sign-in completes the upgrade first, because a browser cannot see an HTTP status, only the close code. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    const user = userOfPath(request.url ?? '')
    if (user === undefined) {
      // Otherwise a client that keeps the other half open would keep the socket forever.
      socket.once('finish', () => socket.destroy())
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    this.#places.admit(socket)
    const hasPlace = this.#places.seat(socket)
    const address = this.#addressOf(request)
    const offered = request.headers['sec-websocket-protocol'] ?? ''
    const protocols = offered.split(',').map(name => name.trim())
    const turnedAway = hasPlace ? this.#turnedAway(request) : noRoom
    const signIn = turnedAway ?? (await this.#signIns.signIn({ user, protocols, address }))
    if (socket.destroyed) return
    this.#server.handleUpgrade(request, socket, head, webSocket => {
      if (!('code' in signIn)) return this.#signIns.begin(webSocket, signIn, address)
      this.#places.hush(socket)
      this.#signIns.refuse(webSocket, signIn)
    })
  }

  #turnedAway(request: IncomingMessage): Refusal | undefined {
    return this.#connections.isCrowded(request) ? crowded : undefined
  }

  close(): void {
    this.#server.close()
  }
}

/** Returns the user id in the path. Returns the empty string if it is not a user id, and `undefined` if it is another path. */
function userOfPath(url: string): string | undefined {
  const path = url.split('?', 1)[0] as string
  if (!path.startsWith(pathPrefix)) return undefined
  try {
    const user = decodeURIComponent(path.slice(pathPrefix.length))
    return isUserId(user) ? user : ''
  } catch {
    return '' // A malformed percent-encoding names no user, so no token matches.
  }
}
