/** So many heartbeats a frame may take, and another one for each of so many bytes that have arrived of it. */
const mostBeats = 4
const bytesPerBeat = 120 * 1024

/**
 * Notices a frame that is begun and does not end, also one whose bytes drip [S3]. Counted in heartbeats (15 s): a frame has a
 * minute, and as long as a line of 8 KiB a second needs for it.
 */
export class FrameDeadline {
  #frame: number | undefined
  #beats = 0

  /**
   * At each heartbeat: whether the frame is late. `frame` is the number of the frame that is not whole, `bytes` what has come
   * of it. While the socket is not read nothing can come, and the time does not count.
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
