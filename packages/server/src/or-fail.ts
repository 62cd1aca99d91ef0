/** A part of one session that processes commits. */
interface Failing {
  /** It may have missed a commit: ends its session. */
  fail(error: unknown): void
}

/**
 * Calls a function that belongs to one session. If the call fails, the session may have missed what a commit took away, so the
 * session ends. The device reconnects with its cursor, and gets everything that has changed since [V4]. Other sessions
 * continue.
 */
export function orFail(one: Failing, call: () => void): void {
  try {
    call()
  } catch (error) {
    one.fail(error)
  }
}

/** The same for work in steps. */
export function* stepsOrFail(one: Failing, steps: Iterable<number>): Iterable<number> {
  try {
    yield* steps
  } catch (error) {
    one.fail(error)
  }
}
