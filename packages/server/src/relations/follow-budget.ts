import type { Limits } from '@kith/shared'
import type { Draft } from './draft.ts'
import type { UserRecord } from './records.ts'

/** Decides which follows are served: within the number of follows [S3] and the budget of first-time look-ups [S4]. */

const dayMs = 86_400_000

/**
 * Returns the number of look-ups left now. The budget refills steadily. A time in the future was written by a wrong clock:
 * nothing has been refilled since.
 */
export function lookupsLeft({ lookups: spent }: UserRecord, nowMs: number, limits: Limits): number {
  if (!spent) return limits.lookups
  const refilled = (Math.max(0, nowMs - spent.atMs) / dayMs) * limits.lookupsPerDay
  return Math.min(limits.lookups, spent.left + refilled)
}

/** Spends one look-up, unless the user has looked up the id before. Returns false if the budget is used up. */
export function spendLookup(draft: Draft, user: string, id: string, hasAsked: boolean, limits: Limits): boolean {
  if (hasAsked) return true
  const left = lookupsLeft(draft.user(user), draft.nowMs, limits)
  const { lookups: spent } = draft.user(user)
  // Otherwise, once the clock is corrected, the budget would not refill until that time.
  if (spent && spent.atMs > draft.nowMs) draft.setUser(user, { lookups: { ...spent, atMs: draft.nowMs } })
  // A device that retries after `retryAfterMs` must not be refused because of a rounding error.
  if (left < 1 - 1e-9) return false
  draft.setUser(user, { lookups: { left: Math.max(0, left - 1), atMs: draft.nowMs } })
  draft.own.noteAsked({ viewer: user, id }, draft.nowMs)
  return true
}

/** Returns the milliseconds until `wanted` look-ups are available. */
export function lookupDelayMs(user: UserRecord, nowMs: number, wanted: number, limits: Limits): number {
  const missing = wanted - lookupsLeft(user, nowMs, limits)
  if (missing <= 0) return 0
  return Math.min(longestDelayMs, Math.ceil((missing / limits.lookupsPerDay) * dayMs))
}

/** For a budget that is never refilled: retry some day, because limits can change. */
const longestDelayMs = 30 * dayMs

/** Returns those of the ids that the user has looked up before. */
export async function askedBefore(draft: Draft, user: string, ids: readonly string[]): Promise<Set<string>> {
  const asked = new Set<string>()
  for (let start = 0; start < ids.length; start += idsInTurn) {
    if (start > 0) await draft.turn()
    const some = ids.slice(start, start + idsInTurn)
    for (const id of await draft.own.asked(user, some)) asked.add(id)
  }
  return asked
}

/** The number of ids that are looked up in one slice. */
const idsInTurn = 100

/** Serves a new follow, or lets it wait. */
export function beginFollow(draft: Draft, viewer: string, owner: string, hasAsked: boolean, limits: Limits): void {
  const { follows, waiting } = draft.user(viewer)
  const isServed = follows < limits.follows && spendLookup(draft, viewer, owner, hasAsked, limits)
  draft.setUser(viewer, isServed ? { follows: follows + 1 } : { waiting: waiting + 1 })
  draft.setRelation(viewer, owner, { isWaiting: !isServed })
}

export function endFollow(draft: Draft, viewer: string, owner: string): void {
  const { follows, waiting } = draft.user(viewer)
  const { isWaiting } = draft.relation(viewer, owner)
  draft.setUser(viewer, isWaiting ? { waiting: waiting - 1 } : { follows: follows - 1 })
  draft.setRelation(viewer, owner, { isWaiting: false })
}

/** Whether a waiting follow could be served now. */
export function canPromote(draft: Draft, viewer: string, limits: Limits): boolean {
  const { waiting, follows } = draft.user(viewer)
  return waiting > 0 && follows < limits.follows
}
