/** A device has stalled if it reads nothing during this number of heartbeats although bytes wait for it. */
const mostIdleBeats = 2

/**
 * Detects a device that stopped reading. It uses what the network has accepted, not what the device sends, so answers to pings
 * do not keep a device alive that does not read [F2].
 */
export class StallWatch {
  #sentBytes = 0
  #takenBytes = 0
  #idleBeats = 0

  sent(bytes: number): void {
    this.#sentBytes += bytes
  }

  /**
   * Called at each heartbeat. Returns whether the device has stalled. `untakenBytes`: the bytes that the network has not
   * accepted yet.
   */
  beat(untakenBytes: number): boolean {
    const takenBytes = this.#sentBytes - untakenBytes
    const isIdle = untakenBytes > 0 && takenBytes <= this.#takenBytes
    this.#takenBytes = takenBytes
    this.#idleBeats = isIdle ? this.#idleBeats + 1 : 0
    return this.#idleBeats >= mostIdleBeats
  }
}
