/** Who sees level 0 of an owner: everyone, the owner's contacts, or only those with a grant. */
export type Audience = 'everyone' | 'contacts' | 'nobody'

/** From the widest to the narrowest: each includes all users whom the next one includes. */
export const audiences: readonly Audience[] = ['everyone', 'contacts', 'nobody']

export function isAudience(value: unknown): value is Audience {
  return (audiences as readonly unknown[]).includes(value)
}

/** The users of both audiences are those of the narrower one. */
export function narrowerAudience(a: Audience, b: Audience): Audience {
  return audiences.indexOf(a) > audiences.indexOf(b) ? a : b
}

/** Everything that decides what one viewer sees of one owner. */
export interface Standing {
  isSelf: boolean
  /** Both users have an account. */
  areRegistered: boolean
  ownerBlocks: boolean
  viewerBlocks: boolean
  /** Either side is restricted by the backend. */
  isRestricted: boolean
  /** The backend paired the two. */
  isPaired: boolean
  /** The owner's audience of level 0. */
  audience: Audience
  /** The viewer is in the owner's `contacts`. A grant makes a contact too. */
  isContact: boolean
  /** Levels that the owner granted to the viewer. */
  grants: readonly number[]
}

/** Why a viewer sees something of an owner, or nothing. */
export type VisibilityReason = 'visible' | 'self' | 'blocked' | 'restricted' | 'not-granted' | 'unknown-user'
export type CommunicationReason = 'allowed' | 'self' | 'blocked' | 'restricted' | 'not-granted' | 'unknown-user'

export interface Visibility {
  /** In ascending order, including 0. Empty when nothing is visible, and for `self`: an owner sees all levels. */
  levels: readonly number[]
  reason: VisibilityReason
}

/**
 * What the viewer may see of the owner, and why [V1][V2][V3]. Only this function decides it: the server's relay,
 * `GET /v1/visibility` and the client's "view as" all call it.
 */
export function visibility(standing: Standing): Visibility {
  const communication = communicationBetween(standing)
  if (communication !== 'allowed') return { levels: [], reason: communication }
  const levels = new Set(standing.grants)
  if (seesPublicLevel(standing)) levels.add(0)
  if (levels.size === 0) return { levels: [], reason: 'not-granted' }
  return { levels: [...levels].sort((a, b) => a - b), reason: 'visible' }
}

/** Whether the two users may communicate, and why not [V1][V2]. */
export function communicationBetween(
  standing: Pick<Standing, 'isSelf' | 'areRegistered' | 'ownerBlocks' | 'viewerBlocks' | 'isRestricted' | 'isPaired'>,
): Exclude<CommunicationReason, 'not-granted'> {
  if (!standing.areRegistered) return 'unknown-user'
  if (standing.isSelf) return 'self'
  if (standing.ownerBlocks || standing.viewerBlocks) return 'blocked'
  if (standing.isRestricted && !standing.isPaired) return 'restricted'
  return 'allowed'
}

/**
 * Whether messages of the viewer reach the owner, and why not: [V1], [V2], then the audience that the owner chose for messages.
 * This also applies to the app's own messaging. A user's messages to itself are always allowed.
 */
export function messagingBetween(
  standing: Omit<Standing, 'audience'> & { /** Of the owner: whose messages reach it. */ messageAudience: Audience },
): CommunicationReason {
  const communication = communicationBetween(standing)
  if (communication !== 'allowed') return communication
  const { messageAudience, isContact, grants } = standing
  const isReached =
    messageAudience === 'everyone' || (messageAudience === 'contacts' && (isContact || grants.length > 0))
  return isReached ? 'allowed' : 'not-granted'
}

function seesPublicLevel({ audience, isContact, grants }: Standing): boolean {
  switch (audience) {
    case 'everyone':
      return true
    case 'contacts':
      return isContact || grants.length > 0
    case 'nobody':
      return grants.length > 0
  }
}
