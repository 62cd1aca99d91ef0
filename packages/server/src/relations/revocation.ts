/** When a user's tokens were revoked, by the clock that dates revocations: of a store that nodes share, the clock of the database. */
export interface Revocation {
  /** Milliseconds since 1970; 0 when they never were. */
  atMs: number
  /** What that clock says now: tokens that are issued here are dated by it too. */
  nowMs: number
}

/** By more no clock is wrong that an operator looks after: a revocation that is dated later is a mistake, and the next one counts. */
export const mostAheadMs: number = 24 * 60 * 60 * 1000

/**
 * What another revocation is dated: later than the one before, also by a clock that was set back meanwhile, or a token that was
 * issued between the two would count again.
 */
export function nextRevocation(beforeMs: number, nowMs: number): number {
  return beforeMs > nowMs + mostAheadMs ? nowMs : Math.max(nowMs, beforeMs + 1)
}
