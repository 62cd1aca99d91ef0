import { KithError } from '@kith/shared'
import type { Failure } from '@kith/shared/wire'
import type { ProfileFetches } from './profile-fetches.ts'
import type { Timers } from './timers.ts'

/** Reports a request that the server did not fulfil, and repeats it if the server says when. */
export function reportFailure(
  failure: Failure,
  fetches: ProfileFetches,
  timers: Timers,
  failed: (error: KithError) => void,
): void {
  const { code, retryAfterMs, count, addresses } = failure
  if (code !== 'too-many-watched') for (const owner of addresses) fetches.answered(owner, false)
  const retry = retryAfterMs > 0 ? { retryAfterMs } : {}
  failed(new KithError(code, `The server left ${count} undone: ${code}`, { ...retry, addresses }))
  if ((code !== 'discovery-limit' && code !== 'unavailable') || retryAfterMs === 0) return
  timers.after(retryAfterMs, () => {
    for (const owner of addresses) void fetches.again(owner)
  })
}
