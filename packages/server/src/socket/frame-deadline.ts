/** The number of heartbeats that a frame may take. It gets another one for each of so many bytes of it that have arrived. */
const mostBeats = 4
const bytesPerBeat = 120 * 1024

/**
 * Detects a frame that is begun and not finished, even if its bytes arrive slowly [S3]. Time is counted in heartbeats (15 s). A
 * frame gets one minute plus the time that a connection of 8 KiB per second needs for it.
 */
export class FrameDeadline {
  #frame: number | undefined
  #beats = 0

  /**
   * Called at each heartbeat. Returns whether the frame is late. `frame` is the number of the incomplete frame, `bytes` the
   * part of it that has arrived. While the socket is not read, nothing can arrive, and the time does not count.
   */
  beat(frame: number | undefined, bytes: number, isRead: boolean): boolean {
    if (frame === undefined || frame !== this.#frame) {
      this.#frame = frame
      this.#beats = 0
      return false
    }
    if (isRead) this.#beats++
    return this.#beats >= mostBeats + Math.floor(bytes / bytesPerBeat)
  }
}
