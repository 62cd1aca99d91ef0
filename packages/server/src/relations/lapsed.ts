import { isTombstone, type Relation } from './records.ts'

/** An id that is registered and erased repeatedly is announced to a follower at most once in this time [F3]. */
const announcementRestMs = 30 * 86_400_000

/** Whether b was recently announced to a as new. A time in the future was written by a wrong clock, and is ignored. */
export function wasAnnounced({ joinedAtMs }: Relation, nowMs: number): boolean {
  return joinedAtMs > 0 && joinedAtMs <= nowMs && nowMs - joinedAtMs < announcementRestMs
}

/**
 * Whether no device needs a relation's record any more. This is so if nothing is left between the two, and every device with an
 * accepted cursor knows that. From then on, the record is equivalent to no record. `oldestCursor`: cursors before it are not
 * accepted.
 */
export function isLapsed(relation: Relation, oldestCursor: number, nowMs: number): boolean {
  const lastNews = Math.max(relation.changedAt, relation.joinedAt)
  return isTombstone(relation) && lastNews <= oldestCursor && !wasAnnounced(relation, nowMs)
}

/**
 * For this number of days, a user can look up an id again without a charge [S4]. The period does not depend on anything that
 * the user may not know, such as whether the id is registered, because the budget would reveal it.
 */
export const lookupDays = 90
