import { closeCodes } from '@kith/shared'
import {
  type ClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  type ServerMessage,
  versionedSubprotocol,
  wireVersion,
} from '@kith/shared/wire'
import type { Clock } from '../clock.ts'
import type { WebSocketConstructor, WebSocketLike } from './socket.ts'

export interface ConnectionPort {
  /** `isVersioned`: the server states its wire version in its welcome. */
  opened(isVersioned: boolean): void
  /** A message arrived in a frame of this size. */
  message(message: ServerMessage, bytes: number): void
  /** Called once, even if the socket never opened. */
  closed(code: number, reason: string): void
}

export interface ConnectionOptions {
  url: string
  protocols: string[]
  WebSocket: WebSocketConstructor
  clock: Clock
}

/** The server's heartbeat comes about every 15 seconds. A socket that is silent for this long is closed, in milliseconds. */
const silenceMs = 45_000
/** The timeout for opening a socket, in milliseconds. */
const openingMs = 20_000

/** The close code that a socket reports when it was lost without a close frame. */
const lostCode = 1006

/** One websocket that sends and receives Kith's messages. */
export class Connection {
  readonly #port: ConnectionPort
  readonly #clock: Clock
  #socket: WebSocketLike | undefined
  #heardAt: number
  /** Whether the server's wire version is later than this device's. `undefined` before its welcome. */
  #isServerNewer: boolean | undefined
  #cancelTimer: () => void

  /** Throws when the platform rejects the arguments: a wrong url, or a token that cannot be sent in a header. */
  constructor(port: ConnectionPort, { url, protocols, WebSocket, clock }: ConnectionOptions) {
    this.#port = port
    this.#clock = clock
    const socket = new WebSocket(url, protocols)
    this.#socket = socket
    this.#heardAt = clock.elapsed()
    this.#cancelTimer = clock.after(openingMs, () => this.close(1000, lostCode, 'It took too long to open'))
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      this.#listen()
      port.opened(socket.protocol === versionedSubprotocol)
    }
    socket.onmessage = (event: { data: unknown }) => this.#received(event.data)
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#ended(this.#known(code), reason)
    socket.onerror = () => undefined // A close event follows, with details.
  }

  send(message: ClientMessage): void {
    this.#socket?.send(encodeClientMessage(message) as Uint8Array<ArrayBuffer>)
  }

  /** Closes the socket immediately, without waiting for the other side, which may not answer. */
  close(code = 1000, reportedCode: number = lostCode, reason = ''): void {
    const socket = this.#socket
    this.#ended(reportedCode, reason)
    socket?.close(code)
  }

  #received(data: unknown): void {
    this.#heardAt = this.#clock.elapsed()
    if (!this.#socket) return
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : undefined
    const frame = bytes && decodeServerMessage(bytes, this.#isServerNewer ?? false)
    if (!frame || frame.type === 'malformed') {
      if (frame?.isOptional) return
      const code = this.#isServerNewer || frame?.isFromNewer ? closeCodes.tooOld : closeCodes.protocolViolation
      this.close(1000, code, `The server sent no frame of ours: ${frame?.what ?? 'text'}`)
    } else {
      if (frame.type === 'welcome') this.#isServerNewer = (frame.understands?.wire ?? 1) > wireVersion
      this.#port.message(frame, bytes.length)
    }
  }

  /**
   * A server that is or may be of a later wire can refuse this device with a code that this version does not know. The device is
   * then too old.
   */
  #known(code: number): number {
    const isRefusal = code >= 4400 && code <= 4499
    const isKnown = (Object.values(closeCodes) as number[]).includes(code)
    const mayBeNewer = this.#isServerNewer !== false
    return mayBeNewer && isRefusal && !isKnown ? closeCodes.tooOld : code
  }

  #listen(): void {
    this.#cancelTimer()
    const leftMs = this.#heardAt + silenceMs - this.#clock.elapsed()
    if (leftMs <= 0) this.close(1000, lostCode, 'Nothing came for a while')
    else this.#cancelTimer = this.#clock.after(leftMs, () => this.#listen())
  }

  #ended(code: number, reason: string): void {
    if (!this.#socket) return
    this.#socket = undefined
    this.#cancelTimer()
    this.#port.closed(code, reason)
  }
}
