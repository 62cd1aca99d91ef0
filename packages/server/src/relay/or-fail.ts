import type { Follower } from './entry.ts'

/**
 * Calls a feed. One that fails may have missed what a commit took away, so its session ends: the device returns with its
 * cursor, and gets all that has changed since [V4]. Other sessions go on.
 */
export function orFail(feed: Follower, call: () => void): void {
  try {
    call()
  } catch (error) {
    feed.fail(error)
  }
}

/** The same for work in steps. */
export function* stepsOrFail(feed: Follower, steps: Iterable<number>): Iterable<number> {
  try {
    yield* steps
  } catch (error) {
    feed.fail(error)
  }
}
