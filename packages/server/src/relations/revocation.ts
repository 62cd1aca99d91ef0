/**
 * When a user's tokens were revoked, by the clock that dates revocations. In a store that nodes share, this is the clock of the
 * database.
 */
export interface Revocation {
  /** Milliseconds since 1970. 0 if they were never revoked. */
  atMs: number
  /** The present time of that clock. It also dates the tokens that are issued here. */
  nowMs: number
}

/**
 * The clock of a maintained machine is never wrong by more than this. A revocation that is dated further ahead is a mistake,
 * and the next revocation replaces it.
 */
export const mostAheadMs: number = 24 * 60 * 60 * 1000

/**
 * Returns the date of a new revocation. It is later than the previous one, even if the clock was set back meanwhile. Otherwise
 * a token that was issued between the two would be valid again.
 */
export function nextRevocation(beforeMs: number, nowMs: number): number {
  return beforeMs > nowMs + mostAheadMs ? nowMs : Math.max(nowMs, beforeMs + 1)
}
