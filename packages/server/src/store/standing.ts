import { type Standing, visibility } from '@kith/shared'
import type { View } from './store.ts'

/** One user's view of another, as the visibility function takes it. */
export function standingOf({ viewer, owner, relation }: View, isSelf = false): Standing {
  return {
    isSelf,
    areRegistered: viewer.registeredAt > 0 && owner.registeredAt > 0,
    ownerBlocks: relation.theirs.isBlocked,
    viewerBlocks: relation.mine.isBlocked,
    isRestricted: viewer.restricted || owner.restricted,
    isPaired: relation.isPaired,
    audience: owner.audience,
    isContact: relation.theirs.isContact,
    grants: relation.theirs.levels,
  }
}

/** What the viewer may see of the owner by V1–V3. */
export function visibleLevels(view: View): readonly number[] {
  return visibility(standingOf(view)).levels
}
