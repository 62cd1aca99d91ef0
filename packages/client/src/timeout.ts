import type { Clock } from './clock.ts'

/**
 * Settles as `work` does. If that takes longer than `limitMs`, settles as `late` does; a later result of `work` is ignored.
 * Rejects if `work` throws.
 */
export async function within<T>(
  clock: Clock,
  limitMs: number,
  work: () => T | PromiseLike<T>,
  late: () => T | PromiseLike<T>,
): Promise<T> {
  let cancel: () => void = () => undefined
  const limit = new Promise<void>(resolve => {
    cancel = clock.after(limitMs, resolve)
  }).then(late)
  try {
    return await Promise.race([Promise.resolve().then(work), limit])
  } finally {
    cancel()
  }
}
