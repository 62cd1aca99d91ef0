import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type CloseCode, closeCodeFor, closeCodes, encodeRetryHint, isUserId, KithError } from '@kith/shared'
import { WebSocket, WebSocketServer } from 'ws'
import type { Identity } from '../tokens.ts'
import type { Context } from './context.ts'
import { Session } from './session.ts'

const subprotocol = 'kith.v1'
const bearerPrefix = 'bearer.'
const pathPrefix = '/v1/roster/'
/** How long devices have to answer the close of a server that stops. */
const closingMs = 2_000
/** What a device shall wait when there are too many connections. */
const crowdedRetryMs = 30_000

/** What `ws` itself finds wrong with frames, as our close codes. */
const ownCodes: Readonly<Record<number, CloseCode>> = {
  1002: closeCodes.protocolViolation,
  1003: closeCodes.protocolViolation,
  1007: closeCodes.protocolViolation,
  1009: closeCodes.tooLarge,
}

class KithSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code === undefined ? code : (ownCodes[code] ?? code), reason)
  }
}

/** Where devices come in: from a connection to a session, or to a close code. */
export class Upgrades {
  #context: Context
  #addressOf: (request: IncomingMessage) => string
  #server: WebSocketServer
  #sessions = new Set<Session>()
  #countByAddress = new Map<string, number>()
  #signingIn = new Set<{ user: string; isEnded: boolean }>()
  #isClosing = false

  constructor(context: Context, addressOf: (request: IncomingMessage) => string) {
    this.#context = context
    this.#addressOf = addressOf
    this.#server = new WebSocketServer({
      noServer: true,
      // Compression would let sizes tell what a device may not see, and costs memory for each socket.
      perMessageDeflate: false,
      maxPayload: Math.max(context.limits.rosterBytes, context.limits.frameBytes) + 1024,
      // A browser that gets none of what it offered sees no close code, so something is selected in any case.
      handleProtocols: offered => (offered.has(subprotocol) ? subprotocol : ([...offered][0] ?? false)),
      WebSocket: KithSocket,
    })
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions
  }

  /** A failed sign-in completes the upgrade first: a browser can't see an HTTP status, only the close code. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    const user = userOfPath(request.url ?? '')
    if (user === undefined) {
      // Or whoever keeps the other half open would keep it for ever.
      socket.once('finish', () => socket.destroy())
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const address = this.#addressOf(request)
    const signIn = await this.#signInOrNot(request, user, address)
    if (socket.destroyed) return
    this.#server.handleUpgrade(request, socket, head, webSocket => {
      if ('code' in signIn) {
        webSocket.on('error', () => webSocket.terminate())
        this.#context.metrics.closed.inc({ code: String(signIn.code) })
        webSocket.close(signIn.code, signIn.reason)
      } else this.#begin(webSocket, signIn, address)
    })
  }

  /** What may have changed while the token was checked is looked at when all else is done. */
  async #signInOrNot(request: IncomingMessage, user: string, address: string): Promise<Identity | Refusal> {
    if (this.#isFull(address)) return crowded
    const attempt = { user, isEnded: false }
    this.#signingIn.add(attempt)
    const signIn = await this.#signIn(request, user).catch((error: unknown) => asRefusal(error))
    this.#signingIn.delete(attempt)
    if ('code' in signIn) return signIn
    if (this.#isClosing) return stopping
    if (attempt.isEnded) return { code: closeCodes.unavailable, reason: 'sessions were revoked: sign in again' }
    const { limits, relay } = this.#context
    const isCrowded = this.#isFull(address) || relay.sessionsOf(user).size >= limits.connectionsPerUser
    return isCrowded ? crowded : signIn
  }

  #isFull(address: string): boolean {
    return (this.#countByAddress.get(address) ?? 0) >= this.#context.limits.connectionsPerAddress
  }

  async #signIn(request: IncomingMessage, user: string): Promise<Identity | Refusal> {
    if (this.#isClosing) return stopping
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim())
    const bearer = offered.find(name => name.startsWith(bearerPrefix))
    if (bearer === undefined) {
      return { code: closeCodes.unauthorised, reason: `offer the subprotocol ${bearerPrefix}<token>` }
    }
    if (!offered.includes(subprotocol)) {
      return { code: closeCodes.protocolViolation, reason: `offer the subprotocol ${subprotocol}` }
    }
    const identity = await this.#context.tokens.verify(bearer.slice(bearerPrefix.length))
    if (identity.user !== user) {
      return { code: closeCodes.notYourRoster, reason: 'the token is for another user' }
    }
    return identity
  }

  #begin(socket: WebSocket, identity: Identity, address: string): void {
    const session = new Session(socket, identity, this.#context)
    this.#sessions.add(session)
    this.#countByAddress.set(address, (this.#countByAddress.get(address) ?? 0) + 1)
    socket.on('close', () => {
      this.#sessions.delete(session)
      const count = (this.#countByAddress.get(address) ?? 1) - 1
      if (count === 0) this.#countByAddress.delete(address)
      else this.#countByAddress.set(address, count)
    })
    session.begin()
  }

  /** The user's tokens count no more: ends their sessions, and sign-ins that are under way. */
  end(user: string): void {
    for (const session of this.#sessions) {
      if (session.user === user) session.close(closeCodes.unauthorised, 'the token was revoked')
    }
    for (const attempt of this.#signingIn) if (attempt.user === user) attempt.isEnded = true
  }

  /** Takes nobody and nothing in from here on. */
  stopAccepting(): void {
    this.#isClosing = true
    for (const session of this.#sessions) session.drain()
  }

  /** Closes every session with 1001, so that devices reconnect elsewhere; ends those that don't answer in time. */
  closeAll(): void {
    for (const session of this.#sessions) session.close(closeCodes.goingAway, stopping.reason)
    this.#context.clock.after(closingMs, () => {
      for (const session of this.#sessions) session.terminate()
    })
    this.#server.close()
  }
}

interface Refusal {
  code: number
  reason: string
}

const stopping: Refusal = { code: closeCodes.goingAway, reason: 'the server is stopping' }
const crowded: Refusal = { code: closeCodes.overLimit, reason: encodeRetryHint('too-many-connections', crowdedRetryMs) }

function asRefusal(error: unknown): Refusal {
  if (error instanceof KithError) return { code: closeCodeFor(error.code), reason: error.message.slice(0, 120) }
  return { code: closeCodes.unavailable, reason: 'try again later' }
}

/** The user id in the path, or the empty string for one that is none; `undefined` when the path is another. */
function userOfPath(url: string): string | undefined {
  const path = url.split('?', 1)[0] as string
  if (!path.startsWith(pathPrefix)) return undefined
  try {
    const user = decodeURIComponent(path.slice(pathPrefix.length))
    return isUserId(user) ? user : ''
  } catch {
    return '' // A broken percent-encoding names nobody, so no token is theirs.
  }
}
