/** For so long after a small change was written, more of them are expected. */
const busyMs = 50
/** A slice that took longer has mostly waited itself: for the disk, or for a processor. */
const mostRestMs = 30

/**
 * How fast users' long work goes on: at full speed while nobody else changes anything, and for half of the time at most while
 * others do. The processors are few, and threads share them evenly: LevelDB's, those that read and write, and the one that
 * serves everybody. While work never rests, the latter waits for a processor half of the time [S3].
 *
 * It goes by the time of the machine. A simulated world leaves it off, as all is until `begin`.
 */
export class Pace {
  readonly #now: () => number
  #isOn = false
  #servedAt = Number.NEGATIVE_INFINITY
  #sliceBegunAt = Number.NEGATIVE_INFINITY

  /** `now`: milliseconds of a clock that never goes back. */
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

  /** How long to rest before the next slice, in milliseconds: as long as the last one took, with what it read. 0: not at all. */
  restMs(): number {
    const now = this.#now()
    if (!this.#isOn || now - this.#servedAt > busyMs) return 0
    return Math.min(mostRestMs, now - this.#sliceBegunAt)
  }
}

/** That of this process: all servers in it share its processors. */
export const pace: Pace = new Pace(() => performance.now())
