import { visibleLevels } from '../relations/standing.ts'
import type { View } from '../relations/store.ts'
import type { Entry } from './entry.ts'

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

/** Compares what a viewer gets with what its device was told. */
export function planHandOver(entry: Entry, view: View): Plan {
  const seen = levelsFor(entry, view)
  if (hasFollowEnded(entry, view)) entry.isFetched = false
  const { told } = entry
  const levels = told ? seen.filter(level => !told.includes(level) || entry.stale.has(level)) : seen
  const isFetched = seen.length > 0 && view.relation.shown.length === 0
  return { entry, view, seen, isFetched, levels, revision: entry.revision }
}
