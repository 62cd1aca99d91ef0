/** Time: real, or moved by a test. */
export interface Clock {
  /** Returns milliseconds since 1970, by the machine's clock. A user or a time server may set that clock forwards or back. */
  now(): number
  /**
   * Returns milliseconds since an arbitrary moment. Setting the machine's clock does not change this value, so durations are
   * measured with it.
   */
  elapsed(): number
  /** Runs `task` once, in `delayMs` milliseconds. Returns a function that cancels it. */
  after(delayMs: number, task: () => void): () => void
}

/** The source of random numbers: `bytes` is secure, `fraction` is good enough to spread load. */
export interface Randomness {
  /**
   * Returns unpredictable random bytes.
   *
   * @param length - The number of bytes.
   */
  bytes(length: number): Uint8Array
  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  fraction(): number
}

/** The longest delay that `setTimeout` supports; with a longer one, browsers and Node fire immediately. */
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
