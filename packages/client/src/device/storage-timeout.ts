import { KithError } from '@kith/shared'
import type { Clock } from '../clock.ts'
import { asFailure } from '../database/failure.ts'
import { within } from '../timeout.ts'

/** The timeout for opening the platform's storage, in milliseconds; a large database on a busy disk takes a few seconds. */
const openingMs = 20_000

/** Resolves as `work` does; rejects with `database-failed` when storage refuses or does not answer in time. */
export async function patiently<T>(clock: Clock, work: () => PromiseLike<T>): Promise<T> {
  try {
    return await within(clock, openingMs, work, () => Promise.reject(new KithError('database-failed', silence)))
  } catch (error) {
    throw asFailure(error)
  }
}

const silence =
  "This device's storage does not answer: close other tabs of this site, or restart the browser; then try again"
