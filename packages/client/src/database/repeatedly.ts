import { asFailure } from './failure.ts'

/** How often one piece of work is done again. */
const mostRepetitions = 10

/**
 * Does work, and does it again as long as `mayRepeat` resolves to `true` for what it rejects with. Rejects with a KithError
 * or TypeError.
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
