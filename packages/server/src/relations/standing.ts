import {
  type Audience,
  type CommunicationReason,
  messagingBetween,
  narrowerAudience,
  type Standing,
  visibility,
} from '@kith/shared'
import { newUser, noRelation, type Relation, type UserRecord } from './records.ts'
import type { View } from './views.ts'

/** One user's view of another, as the input of the visibility function. */
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

/**
 * Whether messages of the viewer reach the owner, by the records of both. `widest`: the widest audience for the messages of any
 * user.
 */
export function messagingOf(view: View, widest: Audience, isSelf = false): CommunicationReason {
  const own = view.owner.messageAudience ?? 'everyone'
  return messagingBetween({ ...standingOf(view, isSelf), messageAudience: narrowerAudience(own, widest) })
}

/** Returns what the viewer may see of the owner by [V1], [V2] and [V3]. */
export function visibleLevels(view: View): readonly number[] {
  return visibility(standingOf(view)).levels
}

/** A user without a relation to the owner, who may see level 0 unless the owner prevents it. */
const stranger: UserRecord = { ...newUser(), registeredAt: 1 }

/** Whether users without a relation to the owner see level 0. */
export function showsStrangers(owner: UserRecord): boolean {
  return visibleLevels({ viewer: stranger, owner, relation: noRelation }).length > 0
}

/** Returns what an owner shows to a user who only looks at it and whom no restriction affects. `relation`: the owner's side. */
export function levelsForLooker(owner: UserRecord, relation: Relation): readonly number[] {
  return visibleLevels({
    viewer: stranger,
    owner,
    relation: { ...relation, mine: relation.theirs, theirs: relation.mine },
  })
}

/** Whether a user sees what strangers see, that is, whether it may communicate with any of them. */
export function isOpen({ registeredAt, restricted }: UserRecord): boolean {
  return registeredAt > 0 && !restricted
}

/** The standing of a viewer towards an owner. */
export interface Sight {
  visible: readonly number[]
  shown: readonly number[]
  isWaiting: boolean
  isFollowed: boolean
  /** The incarnation that the viewer's roster must confirm. Empty if there is none [D7]. */
  changedHands: string
}

/** Whether the viewer may be shown this owner without a request: there is a grant, and nothing against it [F4]. */
export function isUnaskedCandidate(viewer: UserRecord, { mine, theirs }: Relation): boolean {
  return viewer.autoSync && theirs.levels.length > 0 && !mine.isSubscribed && !mine.isDeclined && !mine.isBlocked
}

/**
 * Returns the levels that the viewer's devices get: the visible levels, if the owner is followed and served, or shown
 * unrequested.
 */
export function shownLevels(view: View): readonly number[] {
  const { mine, isWaiting, isUnasked } = view.relation
  return (mine.isSubscribed && !isWaiting) || isUnasked ? visibleLevels(view) : []
}
