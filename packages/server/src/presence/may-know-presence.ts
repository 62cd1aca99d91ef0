import type { View } from '../relations/views.ts'
import type { Follower } from '../relay/entry.ts'

/**
 * Whether a session may know if this owner is online. It may if it gets anything of the owner's profile, and the owner does not
 * hide it [V1][V2][V3]. Both `presence` and the outcome of a message follow this rule [V10].
 */
export function mayKnowPresence(feed: Follower, owner: string, view: View): boolean {
  return feed.levelsOf(owner, view).length > 0 && !view.owner.hidesPresence
}
