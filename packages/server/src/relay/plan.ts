import type { Access } from '@kith/shared/wire'
import { encodeFields } from '@kith/shared/wire'
import { changedHands, type LevelRecord } from '../relations/records.ts'
import { sameItems } from '../relations/same-items.ts'
import { isOpen, visibleLevels } from '../relations/standing.ts'
import type { View } from '../relations/views.ts'
import { type Entry, markStale } from './entry.ts'

/** What to hand over of one owner, according to the records that were just read. */
export interface Plan {
  entry: Entry
  view: View
  /** Levels that the device gets. */
  seen: readonly number[]
  /** The device gets them only because this session fetched them. */
  isFetched: boolean
  /** Those of `seen` of which the device has no current version. */
  levels: readonly number[]
  revision: number
}

/**
 * Returns the levels of an owner that a device gets: the levels shown to the viewer, or all visible levels if this session
 * fetched them.
 */
export function levelsFor(entry: Entry, view: View): readonly number[] {
  return entry.isFetched && !hasFollowEnded(entry, view) ? visibleLevels(view) : view.relation.shown
}

/** A replica of an owner who is no longer followed is dropped when the follow ends, even if another device ended it [V7]. */
function hasFollowEnded(entry: Entry, view: View): boolean {
  return entry.isFollowed && !view.relation.mine.isSubscribed
}

/** Compares the levels that a viewer gets with those that were last sent to the viewer's device. */
export function planHandOver(entry: Entry, view: View): Plan {
  const seen = levelsFor(entry, view)
  if (hasFollowEnded(entry, view)) entry.isFetched = false
  noteHolder(entry, view.owner.registeredAt, seen)
  const { sentLevels } = entry
  const levels = sentLevels ? seen.filter(level => !sentLevels.includes(level) || entry.stale.has(level)) : seen
  const isFetched = seen.length > 0 && view.relation.shown.length === 0
  return { entry, view, seen, isFetched, levels, revision: entry.revision }
}

/**
 * Between two checks, the owner's account may have been erased, and another account registered under the id that shows the same
 * levels. Then the device's replicas of these levels belong to the erased account [V7][D7].
 */
function noteHolder(entry: Entry, registeredAt: number, seen: readonly number[]): void {
  if (registeredAt > (entry.holderUpTo ?? registeredAt)) for (const level of seen) markStale(entry, level)
  entry.holderUpTo = Math.max(entry.holderUpTo ?? 0, registeredAt)
}

/**
 * Whether a level became stale after the plan was made and is not in the plan. A store of several nodes may be read ahead of
 * the reported position. Then the commit is reported between the plan and the hand-over.
 */
export function lacksStale({ entry, seen, levels }: Plan): boolean {
  return seen.some(level => entry.stale.has(level) && !levels.includes(level))
}

const noFields = encodeFields({})

/**
 * Returns the levels that are sent to the device, as they are on disk. `isResumed`: the device reconnected with the replicas
 * that it had. It may hold levels of an account that was erased meanwhile, which no longer exist [V7]. These levels, and stale
 * levels without a record, are sent as empty.
 */
export function writtenLevels(
  { entry, levels }: Plan,
  records: readonly (LevelRecord | undefined)[],
  isResumed: boolean,
): { level: number; fields: Uint8Array }[] {
  const isUnknown = isResumed && entry.sentLevels === undefined
  return levels.flatMap((level, index) => {
    const mayBeHeld = isUnknown || entry.stale.has(level)
    const fields = records[index]?.fields ?? (mayBeHeld ? noFields : undefined)
    return fields ? [{ level, fields }] : []
  })
}

/** Returns the `access` with the news about an owner, without the cursor. Returns `undefined` if there is no news. */
export function accessFor(
  { entry, view, seen, isFetched }: Plan,
  openedAt: number,
): Omit<Access, 'cursor'> | undefined {
  const { relation } = view
  const hands = changedHands(relation.mySide)
  const hasJustJoined = relation.joinedAt > entry.joinSentAt && seen.length > 0
  // If no level of an owner is visible, the owner is named only to a session that fetched it or that was shown a level before
  // [V8].
  const mayHold = entry.isFetched || relation.changedAt > openedAt
  const isNews =
    entry.sentWaiting !== relation.isWaiting ||
    entry.sentFetched !== isFetched ||
    entry.sentHands !== hands ||
    (entry.sentLevels ? !sameItems(entry.sentLevels, seen) : mayHold || seen.length > 0)
  if (!isNews && !hasJustJoined) return undefined
  const { owner } = entry
  const { isWaiting } = relation
  return {
    type: 'access',
    ...{ owner, levels: seen, isWaiting, hasJustJoined, isFetched },
    ...(hands !== '' && { changedHands: hands }),
  }
}

/** Records that the plan was sent to the device. */
export function notePlanSent({ entry, view, seen, isFetched }: Plan): void {
  const { relation } = view
  entry.sentLevels = seen
  entry.sentWaiting = relation.isWaiting
  entry.sentFetched = isFetched
  entry.sentHands = changedHands(relation.mySide)
  entry.joinSentAt = Math.max(entry.joinSentAt, relation.joinedAt)
  entry.isFollowed = relation.mine.isSubscribed
  entry.isOpen = isOpen(view.viewer)
}
