import type { DeviceSocket } from './device-socket.ts'
import { FrameDeadline } from './frame-deadline.ts'
import type { Outbound } from './outbound.ts'

/** Checks one connection at each heartbeat (15 s), and keeps it in use. */
export class Heartbeat {
  readonly #socket: DeviceSocket
  readonly #outbound: Outbound
  readonly #frameDeadline = new FrameDeadline()

  constructor(socket: DeviceSocket, outbound: Outbound) {
    this.#socket = socket
    this.#outbound = outbound
  }

  /**
   * Returns whether the device is gone or does not read, or takes too long for a frame [S3]. Otherwise pings it. `isPaused`:
   * the socket is not being read at present.
   */
  beat(isPaused: boolean): 'gone' | 'late frame' | undefined {
    if (this.#outbound.hasStalled()) return 'gone'
    const { unfinishedFrame, unfinishedBytes = 0 } = this.#socket
    if (this.#frameDeadline.beat(unfinishedFrame, unfinishedBytes, !isPaused)) return 'late frame'
    // While the socket is not read, or within a frame, no answer can arrive.
    if (!isPaused && unfinishedFrame === undefined) this.#outbound.ping()
    return undefined
  }
}
