import type { StoredFrame } from '../database/incoming-frames.ts'

/**
 * Nothing is stored before the incarnation that it belongs to [D7]. A server sends updates of the roster to every socket of
 * the user, also before the device's `hello`: such an update waits for the welcome, and is stored in its transaction.
 */
export class EarlyFrames {
  #early: readonly StoredFrame[] = []
  #isWelcome = false

  /** Returns the frames that may be stored now, the welcome first. */
  take(frames: readonly StoredFrame[]): readonly StoredFrame[] {
    if (this.#isWelcome) return frames
    const came = [...this.#early, ...frames]
    const welcome = came.find(({ type }) => type === 'welcome')
    this.#isWelcome = welcome !== undefined
    this.#early = welcome ? [] : came
    return welcome ? [welcome, ...came.filter(frame => frame !== welcome)] : []
  }
}
