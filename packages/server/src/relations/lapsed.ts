import { isTombstone, type Relation } from './records.ts'

/** An id that is registered and erased over and over is announced once in so long to a follower [F3]. */
const announcementRestMs = 30 * 86_400_000

/** Whether b was lately announced as new to a. A time in the future was written by a wrong clock, and is ignored. */
export function wasAnnounced({ joinedAtMs }: Relation, nowMs: number): boolean {
  return joinedAtMs > 0 && joinedAtMs <= nowMs && nowMs - joinedAtMs < announcementRestMs
}

/**
 * Whether no device needs a relation's record any more: nothing is left between the two, and every device whose cursor is
 * served knows that. From then on it is the same as no record. `oldestCursor`: cursors before it are not served.
 */
export function isLapsed(relation: Relation, oldestCursor: number, nowMs: number): boolean {
  const lastNews = Math.max(relation.changedAt, relation.joinedAt)
  return isTombstone(relation) && lastNews <= oldestCursor && !wasAnnounced(relation, nowMs)
}

/**
 * For so many days an id that a user has looked up is looked up again without a charge [S4]. It depends on nothing that the
 * user may not know, such as whether the id is registered: the budget would tell it.
 */
export const lookupDays = 90
