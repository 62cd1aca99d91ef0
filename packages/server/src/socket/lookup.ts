import type { Store } from '../relations/store.ts'
import { Unwritable } from '../relations/unwritable.ts'

/** Why a user cannot be looked up now, and when to retry. */
export interface LookupFailure {
  code: 'discovery-limit' | 'unavailable'
  retryAfterMs: number
}

/** Charges the first look-up of a user [S4], and writes it to disk. Returns `undefined` if the look-up is allowed. */
export async function lookUp(
  store: Store,
  session: { readonly user: string; readonly isClosed: boolean },
  owner: string,
): Promise<LookupFailure | undefined> {
  const { user } = session
  if (await store.hasAsked(user, owner)) return undefined
  // When the session has ended, the account may be erased, or be another one. Nothing is charged.
  if (session.isClosed) return undefined
  try {
    const { retryAfterMs } = await store.commit({ type: 'lookup', user, owner })
    return retryAfterMs === undefined ? undefined : { code: 'discovery-limit', retryAfterMs }
  } catch (error) {
    if (!(error instanceof Unwritable)) throw error
    return { code: 'unavailable', retryAfterMs: error.retryAfterMs ?? 0 }
  }
}
