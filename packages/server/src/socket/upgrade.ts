import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { isUserId, type Limits } from '@kith/shared'
import { WebSocketServer } from 'ws'
import type { Connections } from '../http/connections.ts'
import { KithSocket } from './kith-socket.ts'
import type { Places } from './places.ts'
import { crowded, noRoom, type Refusal, type SignIns, selectSubprotocol } from './sign-in.ts'

const pathPrefix = '/v1/roster/'

/** A device that is gone doesn't answer a close frame, and its socket costs a descriptor. `ws` has this, its types don't. */
const closing: object = { closeTimeout: 10_000 }

export interface UpgradeOptions {
  signIns: SignIns
  places: Places
  limits: Limits
  /** Where a request comes from, for the limit per address. */
  addressOf: (request: IncomingMessage) => string
  connections: Connections
}

/** Turns HTTP upgrades into websockets, and signs their devices in. */
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
      // Compression would let sizes show what a device may not see, and costs memory for each socket.
      perMessageDeflate: false,
      // A ping is answered once it has been counted.
      autoPong: false,
      maxPayload: Math.max(limits.rosterBytes, limits.frameBytes) + 1024,
      handleProtocols: selectSubprotocol,
      WebSocket: KithSocket,
      ...closing,
    })
  }

  /** A failed sign-in completes the upgrade first: a browser can't see an HTTP status, only the close code. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    const user = userOfPath(request.url ?? '')
    if (user === undefined) {
      // Otherwise a client that keeps the other half open would keep the socket for ever.
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

/** The user id in the path, or the empty string for one that is none; `undefined` when the path is another. */
function userOfPath(url: string): string | undefined {
  const path = url.split('?', 1)[0] as string
  if (!path.startsWith(pathPrefix)) return undefined
  try {
    const user = decodeURIComponent(path.slice(pathPrefix.length))
    return isUserId(user) ? user : ''
  } catch {
    return '' // A broken percent-encoding names no user, so no token matches.
  }
}
