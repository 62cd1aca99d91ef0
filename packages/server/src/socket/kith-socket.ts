import type { Duplex } from 'node:stream'
import { type CloseCode, closeCodes } from '@kith/shared'
import { WebSocket } from 'ws'
import { wholeFrame } from './whole-frame.ts'

/** What `ws` itself finds wrong with frames, as our close codes. */
const ownCodes: Readonly<Record<number, CloseCode>> = {
  1002: closeCodes.protocolViolation,
  1003: closeCodes.protocolViolation,
  1007: closeCodes.protocolViolation,
  1009: closeCodes.tooLarge,
}

/** Below this what has come of a frame is no burden: of 10,000 connections of one address 40 MB. */
const lightFrameBytes = 4 * 1024

/** So many frames may be under way when the server closes; behind them a flood is assumed. */
const mostLateFrames = 64

/** Frames that are sent together are written when so many bytes wait. Otherwise they would count as outstanding, though the network has room. */
const mostHeldTogether = 16 * 1024

/** A part of a frame takes at least so much memory: a buffer of its own, and what Node keeps for it. */
const leastPartBytes = 512

/** What `ws` knows of the frame that is coming in. */
interface Receiver {
  /** 0 between two frames. */
  _state: number
  _bufferedBytes: number
  /** What has come of the frame, as the network delivered it. */
  _buffers: Uint8Array[]
  /** Of the fragments that have come. */
  _messageLength: number
  _fragments: Uint8Array[]
  /** The opcode of a message whose last fragment has not come; else 0. */
  _fragmented: number
  _write(chunk: Uint8Array, encoding: string, done: () => void): void
}

/** A websocket of `ws` that knows what has come of a frame, and what the system has accepted. */
export class KithSocket extends WebSocket {
  /** Frames that have come as a whole. Control frames between the fragments of a message do not count. */
  #frames = 0
  #isReported = false
  #isDiscarding = false
  /** Frames that came after the server had closed. */
  #lateFrames = 0

  get #incoming(): Receiver | undefined {
    return (this as unknown as { _receiver?: Receiver | null })._receiver ?? undefined
  }

  /** What has come of frames that are not whole yet: `ws` keeps it until they are. */
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

  /** `ws` calls it, once, with the connection: its types don't say so. */
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
    // Behind the listener of `ws`, which takes in what is whole.
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
   * After a close frame of the server nothing but the peer's own close frame is of use. `ws` would keep a large frame until then,
   * and would decode the thousands of small ones that a packet holds [S3]. All is read all the same: a connection that ends with
   * unread bytes is reset, and the peer may not learn the close code.
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
    // Nor is the peer's close frame seen: this side ends the connection, behind its own close frame.
    const { _socket: socket } = this as unknown as { _socket: Duplex }
    socket.end()
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

  /** `ws` would write a header and the payload for each socket, which costs more than all else that a follower's frame takes. */
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
