import type { Limits } from '@kith/shared'
import type { Draft } from './draft.ts'
import type { Relation } from './records.ts'
import { isUnaskedCandidate } from './standing.ts'

/**
 * Owners whom a viewer is shown without having asked, because they granted a level [F4]: at most `limits.unaskedOwners`
 * of them, those in the viewer's own contacts first.
 */
function isCandidate(draft: Draft, viewer: string, owner: string): boolean {
  return isUnaskedCandidate(draft.user(viewer), draft.relation(viewer, owner))
}

/** What a change of one pair asks for; `review` when all of the viewer's relations must be looked at to decide. */
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

/** Whether an owner may have a place, or has one: seen from the viewer. Of all others the dealing changes nothing. */
export function mayBeUnasked({ theirs, isUnasked }: Relation): boolean {
  return isUnasked || theirs.levels.length > 0
}

/** Deals the places out anew: contacts first, then those who had one, then by id. `owners`: all who `mayBeUnasked`. */
export function dealUnasked(draft: Draft, viewer: string, owners: readonly string[], limits: Limits): void {
  const rank = (owner: string): number => {
    const { mine, isUnasked } = draft.relation(viewer, owner)
    return (mine.isContact ? 0 : 2) + (isUnasked ? 0 : 1)
  }
  const candidates = owners
    .filter(owner => isCandidate(draft, viewer, owner))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  const chosen = new Set(candidates.slice(0, limits.unaskedOwners))
  for (const owner of owners) {
    if (draft.relation(viewer, owner).isUnasked !== chosen.has(owner)) {
      draft.setRelation(viewer, owner, { isUnasked: chosen.has(owner) })
    }
  }
  if (draft.user(viewer).unasked !== chosen.size) draft.setUser(viewer, { unasked: chosen.size })
}
