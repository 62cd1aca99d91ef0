/** Time, as the client sees it: the real one, or one that a test moves. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs `task` once, in `delayMs` milliseconds. The answer cancels it. */
  after(delayMs: number, task: () => void): () => void
}

/** Where chance comes from: secure for `bytes`, good enough to spread load for `fraction`. */
export interface Randomness {
  bytes(length: number): Uint8Array
  /** From 0 up to 1, without 1. */
  fraction(): number
}

/** The longest delay that `setTimeout` keeps; above it browsers and Node fire at once. */
const longestDelayMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(delayMs, longestDelayMs))
    return () => clearTimeout(timer)
  },
}

export const systemRandomness: Randomness = {
  bytes: length => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => Math.random(),
}
