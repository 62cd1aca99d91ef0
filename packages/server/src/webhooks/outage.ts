import { waitMsAfter } from './lines.ts'

/**
 * After this number of failures in a row, the receiver counts as down. Then one event at a time is sent to find out whether it
 * is back.
 */
const failuresOfOutage = 5
const longestPauseMs = 30_000

/** Failures of the receiver in a row, over the events of all users. All times are of a clock that is never set. */
export class Outage {
  #failures = 0
  #sinceMs = 0
  #pausedUntilMs = 0

  /** Whether the receiver counts as down. */
  get isOn(): boolean {
    return this.#failures >= failuresOfOutage
  }

  /** No attempt before this time. */
  get pausedUntilMs(): number {
    return this.#pausedUntilMs
  }

  /** How long the receiver has failed. 0 while it does not count as down. */
  lastedMs(nowMs: number): number {
    return this.isOn ? nowMs - this.#sinceMs : 0
  }

  /** The receiver failed. Returns whether it counts as down from now on. */
  noteFailure(nowMs: number, retryAfterMs: number): boolean {
    this.#failures++
    if (this.#failures === 1) this.#sinceMs = nowMs
    if (!this.isOn) return false
    const pauseMs = Math.min(waitMsAfter(this.#failures - failuresOfOutage + 1), longestPauseMs)
    this.#pausedUntilMs = nowMs + Math.max(pauseMs, retryAfterMs)
    return this.#failures === failuresOfOutage
  }

  /** The receiver accepted an event. Returns whether it counted as down. */
  end(): boolean {
    const { isOn } = this
    this.#failures = 0
    this.#pausedUntilMs = 0
    return isOn
  }
}
