import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type CloseCode, closeCodes, isUserId, type Limits } from '@kith/shared'
import { WebSocket, WebSocketServer } from 'ws'
import type { Connections } from '../http/connections.ts'
import type { Places } from './places.ts'
import { crowded, noRoom, type Refusal, type SignIns, subprotocol } from './sign-in.ts'

const pathPrefix = '/v1/roster/'

/** What `ws` itself finds wrong with frames, as our close codes. */
const ownCodes: Readonly<Record<number, CloseCode>> = {
  1002: closeCodes.protocolViolation,
  1003: closeCodes.protocolViolation,
  1007: closeCodes.protocolViolation,
  1009: closeCodes.tooLarge,
}

/** A device that is gone doesn't answer a close frame, and its socket costs a descriptor. `ws` has this, its types don't. */
const closing: object = { closeTimeout: 10_000 }

/** Below this what has come of a frame is no burden. */
const lightFrameBytes = 64 * 1024

class KithSocket extends WebSocket {
  /** What has come of frames that are not whole yet: `ws` keeps it until they are. */
  get unfinishedBytes(): number {
    const { _receiver: receiver } = this as unknown as {
      _receiver?: { _bufferedBytes: number; _messageLength: number }
    }
    return receiver ? receiver._bufferedBytes + receiver._messageLength : 0
  }

  /** `ws` calls it, once, with the connection: its types don't say so. */
  setSocket(socket: Duplex, head: Buffer, options: object): void {
    const { setSocket } = WebSocket.prototype as unknown as { setSocket: KithSocket['setSocket'] }
    setSocket.call(this, socket, head, options)
    // Behind the listener of `ws`, which takes in what is whole.
    socket.on('data', () => {
      if (this.unfinishedBytes > lightFrameBytes) this.emit('unfinished')
    })
  }

  /** Node counts a write as taken when all of it is; libuv knows how much of it the system has accepted by now. */
  get untakenBytes(): number {
    const { _socket: socket } = this as unknown as { _socket: { _handle?: { writeQueueSize?: number } | null } | null }
    const inSystem = socket?._handle?.writeQueueSize
    return inSystem === undefined ? this.bufferedAmount : Math.max(0, inSystem + this.#unwritten())
  }

  /** Frames that wait behind the write that is under way. */
  #unwritten(): number {
    const { _socket: socket } = this as unknown as {
      _socket: { writableLength: number; _writableState?: { writelen?: number } } | null
    }
    if (!socket) return 0
    return Math.max(0, socket.writableLength - (socket._writableState?.writelen ?? 0))
  }

  override close(code?: number, reason?: string | Buffer): void {
    super.close(code === undefined ? code : (ownCodes[code] ?? code), reason)
  }
}

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
      maxPayload: Math.max(limits.rosterBytes, limits.frameBytes) + 1024,
      // A browser that gets none of what it offered sees no close code, so something is selected in any case.
      handleProtocols: offered => (offered.has(subprotocol) ? subprotocol : ([...offered][0] ?? false)),
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
