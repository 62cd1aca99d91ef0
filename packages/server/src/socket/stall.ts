/** A device that takes nothing over so many heartbeats, although bytes wait for it, has stalled. */
const mostIdleBeats = 2

/**
 * Notices a device that stopped reading: by what the network has taken, independent of what the device sends, so answers to
 * pings do not keep a deaf reader alive [F2].
 */
export class StallWatch {
  #sentBytes = 0
  #takenBytes = 0
  #idleBeats = 0

  sent(bytes: number): void {
    this.#sentBytes += bytes
  }

  /** At each heartbeat: whether the device has stalled. `untakenBytes` is what the network has not taken yet. */
  beat(untakenBytes: number): boolean {
    const takenBytes = this.#sentBytes - untakenBytes
    const isIdle = untakenBytes > 0 && takenBytes <= this.#takenBytes
    this.#takenBytes = takenBytes
    this.#idleBeats = isIdle ? this.#idleBeats + 1 : 0
    return this.#idleBeats >= mostIdleBeats
  }
}
