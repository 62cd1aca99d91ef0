import type { Context } from './context.ts'
import type { DeviceSocket } from './device-socket.ts'
import { Pings } from './pings.ts'
import { StallWatch } from './stall.ts'

/** A socket with fewer outstanding bytes is not a burden, even if its user has others. */
const lightBytes = 256 * 1024

/** The outgoing data of one socket, and whether its device reads it. */
export class Outbound {
  readonly #socket: DeviceSocket
  readonly #user: string
  readonly #context: Context
  readonly #taken: () => void
  readonly #pings = new Pings()
  readonly #stall = new StallWatch()

  /** `taken` is called when the network has accepted a frame, or never will. */
  constructor(socket: DeviceSocket, user: string, context: Context, taken: () => void) {
    this.#socket = socket
    this.#user = user
    this.#context = context
    this.#taken = taken
  }

  get outstandingBytes(): number {
    return this.#socket.bufferedAmount
  }

  /** Whether the size of two rosters is outstanding on this socket, or of four on all sockets of the user [S3]. */
  get isBurden(): boolean {
    const { answers, limits } = this.#context
    const { outstandingBytes } = this
    if (outstandingBytes < lightBytes) return false
    return outstandingBytes > 2 * limits.rosterBytes || answers.outstandingOf(this.#user) > 4 * limits.rosterBytes
  }

  send(frame: Uint8Array): void {
    this.#context.metrics.sentBytes.inc(frame.length)
    this.#stall.sent(frame.length)
    this.#socket.send(frame, { binary: true }, this.#taken)
  }

  together(send: () => void): void {
    if (this.#socket.together) this.#socket.together(send)
    else send()
  }

  /** At each heartbeat: whether the device is gone, or does not read. */
  hasStalled(): boolean {
    const { untakenBytes = this.#socket.bufferedAmount } = this.#socket
    return this.#pings.isGone || this.#stall.beat(untakenBytes)
  }

  ping(): void {
    this.#socket.ping(this.#pings.next())
  }

  /** Whether a pong answers a ping. Only one answer to each ping is expected. */
  isAnswer(data: Buffer): boolean {
    return this.#pings.isAnswer(data)
  }
}
