import type { Access } from '@kith/shared/wire'
import { encodeFields } from '@kith/shared/wire'
import { changedHands, type LevelRecord } from '../relations/records.ts'
import { isOpen, visibleLevels } from '../relations/standing.ts'
import type { View } from '../relations/views.ts'
import { sameLevels } from '../relations/visible-levels.ts'
import { type Entry, markStale } from './entry.ts'

/** What to hand over of one owner, by what was just read. */
export interface Plan {
  entry: Entry
  view: View
  /** Levels that the device gets. */
  seen: readonly number[]
  /** It gets them only because this session asked. */
  isFetched: boolean
  /** Those of them that it has no current version of. */
  levels: readonly number[]
  revision: number
}

/** What a device gets of an owner: what is shown to the viewer, or, if this session asked, all that is visible. */
export function levelsFor(entry: Entry, view: View): readonly number[] {
  return entry.isFetched && !hasFollowEnded(entry, view) ? visibleLevels(view) : view.relation.shown
}

/** A replica of someone not followed is dropped when the follow ends, also by another device [V7]. */
function hasFollowEnded(entry: Entry, view: View): boolean {
  return entry.isFollowed && !view.relation.mine.isSubscribed
}

/** Compares what a viewer gets with what was last sent to its device. */
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
 * Between two looks the owner's account may have been erased, and another registered under the id that shows the same levels: what
 * the device holds of them is of the account that was erased [V7][D7].
 */
function noteHolder(entry: Entry, registeredAt: number, seen: readonly number[]): void {
  if (registeredAt > (entry.holderUpTo ?? registeredAt)) for (const level of seen) markStale(entry, level)
  entry.holderUpTo = Math.max(entry.holderUpTo ?? 0, registeredAt)
}

/**
 * Whether a level became stale after the plan was made, and is not in it. A store of several nodes may be read ahead of what was
 * reported: then the commit comes between the plan and the hand-over.
 */
export function lacksStale({ entry, seen, levels }: Plan): boolean {
  return seen.some(level => entry.stale.has(level) && !levels.includes(level))
}

const noFields = encodeFields({})

/**
 * The levels that are written to the device, as they stand on disk. `isResumed`: the device came back with what it had. Of an
 * account that was erased meanwhile it may hold levels that are there no more [V7]: these, and stale ones without a record,
 * are written as empty.
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

/** The `access` with what is new of an owner, without the cursor; `undefined` when nothing is new. */
export function accessFor(
  { entry, view, seen, isFetched }: Plan,
  openedAt: number,
): Omit<Access, 'cursor'> | undefined {
  const { relation } = view
  const hands = changedHands(relation.mySide)
  const hasJustJoined = relation.joinedAt > entry.joinSentAt && seen.length > 0
  // An owner of whom nothing is seen is named only to a session that asked, or that was shown something before [V8].
  const mayHold = entry.isFetched || relation.changedAt > openedAt
  const isNews =
    entry.sentWaiting !== relation.isWaiting ||
    entry.sentFetched !== isFetched ||
    entry.sentHands !== hands ||
    (entry.sentLevels ? !sameLevels(entry.sentLevels, seen) : mayHold || seen.length > 0)
  if (!isNews && !hasJustJoined) return undefined
  const { owner } = entry
  const { isWaiting } = relation
  return {
    type: 'access',
    ...{ owner, levels: seen, isWaiting, hasJustJoined, isFetched },
    ...(hands !== '' && { changedHands: hands }),
  }
}

/** Notes that the plan was sent to the device. */
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
