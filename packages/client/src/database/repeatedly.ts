import { asFailure } from './failure.ts'

/** The maximum number of repetitions of a piece of work. */
const mostRepetitions = 10

/**
 * Does work, and repeats it as long as it fails and `mayRepeat` resolves to `true` for the error. Rejects with a KithError or
 * TypeError.
 */
export async function repeatedly<T>(
  work: () => PromiseLike<T>,
  mayRepeat: (error: unknown) => boolean | Promise<boolean>,
): Promise<T> {
  for (let left = mostRepetitions; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (left === 0 || !(await mayRepeat(error))) throw asFailure(error)
    }
  }
}
