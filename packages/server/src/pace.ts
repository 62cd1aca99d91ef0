/** For this time after a small change was written, more small changes are expected. */
const busyMs = 50
/** A slice that took longer has mostly waited itself, for the disk or for a processor. */
const mostRestMs = 30

/**
 * Controls how fast users' long work proceeds: at full speed while no other changes are made, and for at most half of the time
 * while there are. The processors are few, and threads share them evenly: LevelDB's threads, the I/O threads, and the main
 * thread. If long work never paused, the main thread would wait for a processor half of the time [S3].
 *
 * The pace uses the time of the machine. A simulation leaves it off. It is off until `begin` is called.
 */
export class Pace {
  readonly #now: () => number
  #isOn = false
  #servedAt = Number.NEGATIVE_INFINITY
  #sliceBegunAt = Number.NEGATIVE_INFINITY

  /** `now`: milliseconds of a monotonic clock. */
  constructor(now: () => number) {
    this.#now = now
  }

  get isOn(): boolean {
    return this.#isOn
  }

  begin(): void {
    this.#isOn = true
  }

  /** A small change was written. */
  noteServed(): void {
    this.#servedAt = this.#now()
  }

  noteSliceBegins(): void {
    this.#sliceBegunAt = this.#now()
  }

  /**
   * Returns how long to pause before the next slice, in milliseconds: as long as the last slice took, including its reads. 0:
   * no pause.
   */
  restMs(): number {
    const now = this.#now()
    if (!this.#isOn || now - this.#servedAt > busyMs) return 0
    return Math.min(mostRestMs, now - this.#sliceBegunAt)
  }
}

/** The pace of this process: all servers in it share its processors. */
export const pace: Pace = new Pace(() => performance.now())
