/** Time, as the client sees it: the real one, or one that a test moves. */
export interface Clock {
  /** Returns milliseconds since 1970, by the machine's clock. A user or a time server may set that clock, forwards or back. */
  now(): number
  /**
   * Returns milliseconds since some moment before. Setting the machine's clock does not change this: durations are measured
   * with it.
   */
  elapsed(): number
  /** Runs `task` once, in `delayMs` milliseconds. Returns a function that cancels it. */
  after(delayMs: number, task: () => void): () => void
}

/** Where chance comes from: secure for `bytes`, good enough to spread load for `fraction`. */
export interface Randomness {
  /**
   * Returns random bytes that nobody can guess.
   *
   * @param length - How many.
   */
  bytes(length: number): Uint8Array
  /** Returns a number from 0 up to 1, without 1. */
  fraction(): number
}

/** The longest delay that `setTimeout` keeps; above it browsers and Node fire at once. */
const longestDelayMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(delayMs, longestDelayMs))
    return () => clearTimeout(timer)
  },
}

export const systemRandomness: Randomness = {
  bytes: length => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => Math.random(),
}
