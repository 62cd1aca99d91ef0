import type { Duplex } from 'node:stream'
import { type CloseCode, closeCodes } from '@kith/shared'
import { WebSocket } from 'ws'
import { wholeFrame } from './whole-frame.ts'

/** The errors that `ws` itself finds in frames, as our close codes. */
const ownCodes: Readonly<Record<number, CloseCode>> = {
  1002: closeCodes.protocolViolation,
  1003: closeCodes.protocolViolation,
  1007: closeCodes.protocolViolation,
  1009: closeCodes.tooLarge,
}

/** An incomplete frame below this size is not a burden: 10,000 connections of one address have 40 MB. */
const lightFrameBytes = 4 * 1024

/** The number of frames that may be in transit when the server closes. More frames are treated as a flood. */
const mostLateFrames = 64

/**
 * Frames that are sent together are written when this many bytes wait. Otherwise they would count as outstanding although the
 * network has room.
 */
const mostHeldTogether = 16 * 1024

/** A part of a frame takes at least this much memory: its own buffer, and what Node keeps for it. */
const leastPartBytes = 512

/** The state that `ws` keeps for the incoming frame. */
interface Receiver {
  /** 0 between two frames. */
  _state: number
  _bufferedBytes: number
  /** The received parts of the frame, as the network delivered them. */
  _buffers: Uint8Array[]
  /** The length of the fragments that have arrived. */
  _messageLength: number
  _fragments: Uint8Array[]
  /** The opcode of a message whose last fragment has not arrived; otherwise 0. */
  _fragmented: number
  _write(chunk: Uint8Array, encoding: string, done: () => void): void
}

/** A websocket of `ws` that also knows how much of a frame has arrived, and how much the system has accepted. */
export class KithSocket extends WebSocket {
  /** Frames that have arrived completely. Control frames between the fragments of a message do not count. */
  #frames = 0
  #isReported = false
  #isDiscarding = false
  /** Frames that arrived after the server had closed. */
  #lateFrames = 0

  get #incoming(): Receiver | undefined {
    return (this as unknown as { _receiver?: Receiver | null })._receiver ?? undefined
  }

  /** The received bytes of incomplete frames. `ws` keeps them until the frames are complete. */
  get unfinishedBytes(): number {
    const incoming = this.#incoming
    return incoming ? incoming._bufferedBytes + incoming._messageLength : 0
  }

  get heldBytes(): number {
    const incoming = this.#incoming
    if (!incoming) return 0
    return Math.max(this.unfinishedBytes, leastPartBytes * (incoming._buffers.length + incoming._fragments.length))
  }

  get unfinishedFrame(): number | undefined {
    const incoming = this.#incoming
    if (!incoming) return undefined
    const isBegun = incoming._state !== 0 || incoming._bufferedBytes > 0 || incoming._fragmented !== 0
    return isBegun ? this.#frames : undefined
  }

  /** `ws` calls this once, with the connection. Its types do not declare that. */
  setSocket(socket: Duplex, head: Buffer, options: object): void {
    const { setSocket } = WebSocket.prototype as unknown as { setSocket: KithSocket['setSocket'] }
    setSocket.call(this, socket, head, options)
    const noteControl = (): void => {
      if (this.#incoming?._fragmented === 0) this.#frames++
    }
    this.on('message', () => this.#frames++)
    this.on('ping', noteControl)
    this.on('pong', noteControl)
    for (const kind of ['message', 'ping', 'pong']) this.on(kind, () => this.#noteLate())
    // Runs after the listener of `ws`, which processes complete frames.
    socket.on('data', () => this.#report())
  }

  #noteLate(): void {
    if (this.readyState === WebSocket.OPEN) return
    this.#lateFrames++
    if (this.#lateFrames > mostLateFrames) this.#discard()
  }

  #report(): void {
    if (this.readyState !== WebSocket.OPEN && this.heldBytes > lightFrameBytes) this.#discard()
    const isBurden = this.heldBytes > lightFrameBytes
    if (isBurden || this.#isReported) this.emit('unfinished')
    this.#isReported = isBurden
  }

  /**
   * After the server's close frame, only the peer's own close frame matters. Until it arrives, `ws` would keep a large frame,
   * and would decode the thousands of small frames in a packet [S3]. Everything is still read: a connection that ends with
   * unread bytes is reset, and the peer may not receive the close code.
   */
  #discard(): void {
    const incoming = this.#incoming
    if (!incoming || this.#isDiscarding) return
    this.#isDiscarding = true
    incoming._write = (_chunk, _encoding, done) => done()
    incoming._buffers = []
    incoming._bufferedBytes = 0
    incoming._fragments = []
    incoming._messageLength = 0
    // The peer's close frame is not seen either, so this side ends the connection after its own close frame.
    const { _socket: socket } = this as unknown as { _socket: Duplex }
    socket.end()
  }

  /** Node reports a write only when all of it is accepted. libuv knows how much of it the system has accepted so far. */
  get untakenBytes(): number {
    const { _socket: socket } = this as unknown as { _socket: { _handle?: { writeQueueSize?: number } | null } | null }
    const inSystem = socket?._handle?.writeQueueSize
    return inSystem === undefined ? this.bufferedAmount : Math.max(0, inSystem + this.#unwritten())
  }

  /** The length of frames that wait behind the current write. */
  #unwritten(): number {
    const { _socket: socket } = this as unknown as {
      _socket: { writableLength: number; _writableState?: { writelen?: number } } | null
    }
    if (!socket) return 0
    return Math.max(0, socket.writableLength - (socket._writableState?.writelen ?? 0))
  }

  /**
   * `ws` would write a header and the payload for each socket. That costs more than everything else in sending a follower's
   * frame.
   */
  override send(data: Parameters<WebSocket['send']>[0], ...rest: unknown[]): void {
    const frame = this.readyState === WebSocket.OPEN && data instanceof Uint8Array ? wholeFrame(data) : undefined
    if (!frame) return Reflect.apply(super.send, this, [data, ...rest])
    const { _socket: socket } = this as unknown as { _socket: Duplex }
    const taken = rest.at(-1)
    socket.write(frame, typeof taken === 'function' ? (taken as () => void) : undefined)
    if (socket.writableCorked > 0 && socket.writableLength >= mostHeldTogether) {
      socket.uncork()
      socket.cork()
    }
  }

  together(send: () => void): void {
    const { _socket: socket } = this as unknown as { _socket: Duplex | null }
    socket?.cork()
    try {
      send()
    } finally {
      socket?.uncork()
    }
  }

  override close(code?: number, reason?: string | Buffer): void {
    super.close(code === undefined ? code : (ownCodes[code] ?? code), reason)
    this.#report()
  }
}
