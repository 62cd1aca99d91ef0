import type { Limits } from '@kith/shared'
import type { Turns } from '../turns.ts'
import type { Draft } from './draft.ts'
import type { Relation } from './records.ts'
import { isUnaskedCandidate } from './standing.ts'

/**
 * Owners that a viewer is shown without a request, because they granted a level [F4]: at most `limits.unaskedOwners` of them,
 * those in the viewer's own contacts first.
 */
function isCandidate(draft: Draft, viewer: string, owner: string): boolean {
  return isUnaskedCandidate(draft.user(viewer), draft.relation(viewer, owner))
}

/** Applies what a change of one pair requires. Returns `review` if all of the viewer's relations must be examined to decide. */
export function updateUnasked(draft: Draft, viewer: string, owner: string, limits: Limits): 'done' | 'review' {
  const relation = draft.relation(viewer, owner)
  const isWanted = isCandidate(draft, viewer, owner)
  const { unasked } = draft.user(viewer)
  if (relation.isUnasked === isWanted) return 'done'
  if (isWanted && unasked >= limits.unaskedOwners) return relation.mine.isContact ? 'review' : 'done'
  draft.setRelation(viewer, owner, { isUnasked: isWanted })
  draft.setUser(viewer, { unasked: unasked + (isWanted ? 1 : -1) })
  return !isWanted && unasked >= limits.unaskedOwners ? 'review' : 'done'
}

/** Whether an owner may have a place, or has one, seen from the viewer. Assigning the places changes nothing for all others. */
export function mayBeUnasked({ theirs, isUnasked }: Relation): boolean {
  return isUnasked || theirs.levels.length > 0
}

/**
 * Assigns the places again: contacts first, then owners who had a place, then by id. `owners`: all who `mayBeUnasked`, and any
 * others.
 */
export async function dealUnasked(
  draft: Draft,
  viewer: string,
  owners: readonly string[],
  limits: Limits,
): Promise<void> {
  const turns = draft.turns(ownersInTurn)
  // By rank, because a sort of all candidates would be one long slice.
  const ranks: string[][] = [[], [], [], []]
  for (const owner of owners) {
    if (turns.isOver()) await turns.pass()
    if (!isCandidate(draft, viewer, owner)) continue
    const { mine, isUnasked } = draft.relation(viewer, owner)
    ranks[(mine.isContact ? 0 : 2) + (isUnasked ? 0 : 1)]?.push(owner)
  }
  const chosen = new Set<string>()
  for (const candidates of ranks) {
    const left = limits.unaskedOwners - chosen.size
    // If there is room for all of them, their order does not matter.
    const first = candidates.length <= left ? candidates : await firstByName(candidates, left, turns)
    for (const owner of first) chosen.add(owner)
  }
  for (const owner of owners) {
    if (turns.isOver()) await turns.pass()
    if (draft.relation(viewer, owner).isUnasked !== chosen.has(owner)) {
      draft.setRelation(viewer, owner, { isUnasked: chosen.has(owner) })
    }
  }
  if (draft.user(viewer).unasked !== chosen.size) draft.setUser(viewer, { unasked: chosen.size })
}

/** Returns the first `most` of these by name. Works in slices. */
async function firstByName(all: readonly string[], most: number, turns: Turns): Promise<string[]> {
  let first: string[] = []
  if (most === 0) return first
  for (let start = 0; start < all.length; start += ownersInTurn) {
    if (start > 0) await turns.pass()
    first = [...first, ...all.slice(start, start + ownersInTurn)].sort().slice(0, most)
  }
  return first
}

/** The number of owners that are examined in one slice. */
const ownersInTurn = 100
