/** Time and timers, so that a simulation can provide its own. This is the only place that reads the machine's clock. */
export interface Clock {
  /** Returns milliseconds since 1970. */
  now(): number
  /** Returns milliseconds since some moment, by a clock that is never set. It stops while the machine is suspended. */
  elapsed(): number
  /** Runs `task` once after `delayMs`. Returns a function that cancels it. */
  after(delayMs: number, task: () => void): () => void
  /** Runs `task` every `intervalMs`. Returns a function that stops it. */
  every(intervalMs: number, task: () => void): () => void
}

/** The machine's clock. Its timers don't keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs).unref()
    return () => clearTimeout(timer)
  },
  every: (intervalMs, task) => {
    const timer = setInterval(task, intervalMs).unref()
    return () => clearInterval(timer)
  },
}
