/** Something of one session that looks at commits. */
interface Failing {
  /** It may have missed a commit: its session ends. */
  fail(error: unknown): void
}

/**
 * Calls what belongs to one session. If that fails, it may have missed what a commit took away, so its session ends: the
 * device returns with its cursor, and gets all that has changed since [V4]. Other sessions go on.
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
