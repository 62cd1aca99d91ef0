import { KithError } from '@kith/shared'
import type { Clock } from '../clock.ts'

/** How long the check of a token may take: the app's own function, the issuer's keys, and the store. */
const checkDeadlineMs = 10_000

/** Resolves like the check of a token. Rejects with `unavailable` if it takes too long: an app's function may never answer. */
export async function inTime<T>(clock: Clock, check: Promise<T>): Promise<T> {
  let cancel = (): void => undefined
  const late = new Promise<never>((_, reject) => {
    const error = new KithError('unavailable', `the token was not checked within ${checkDeadlineMs / 1000} s`)
    cancel = clock.after(checkDeadlineMs, () => reject(error))
  })
  return Promise.race([check, late]).finally(cancel)
}
