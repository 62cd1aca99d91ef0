import { type Audience, type ContactFacts, countingFacts, gives, isUnconfirmed } from '@kith/shared'
import { expectKnown } from './unknown-record.ts'

/** What the server keeps of one registered user. */
export interface UserRecord {
  /** The position at which the user registered. 0: not registered, but named by others or by the backend. */
  registeredAt: number
  restricted: boolean
  announceJoin: boolean
  audience: Audience
  autoSync: boolean
  /** Absent while the user hides nothing. */
  hidesPresence?: true | undefined
  /** Whose messages reach the user; absent for everyone's. */
  messageAudience?: 'contacts' | 'nobody' | undefined
  /**
   * When the user's last device left, in minutes since 1970: noted by the server as it happened, and derived from no
   * document. Absent before, and for an account that was erased.
   */
  lastSeenMinute?: number | undefined
  /** Level → position of its last change. An emptied level stays, so that viewers learn of it. */
  levels: Record<string, number>
  /** Follows that are served, and follows that wait ([S3], [S4]). */
  follows: number
  waiting: number
  /** Owners who are shown to this user because they granted a level [F4]. */
  unasked: number
  /** First-time look-ups left, as of a time in ms [S4]; absent while none was spent. */
  lookups?: { left: number; atMs: number } | undefined
}

export function newUser(): UserRecord {
  return {
    registeredAt: 0,
    restricted: false,
    announceJoin: true,
    audience: 'everyone',
    autoSync: true,
    levels: {},
    follows: 0,
    waiting: 0,
    unasked: 0,
  }
}

const memberNames: ReadonlySet<string> = new Set([
  ...Object.keys(newUser()),
  ...(['hidesPresence', 'messageAudience', 'lastSeenMinute', 'lookups'] satisfies (keyof UserRecord)[]),
])

/** A record that was read. Throws {@link UnknownRecord} when it has a member that this version does not know. */
export function knownUser(user: UserRecord): UserRecord {
  for (const name in user) expectKnown(memberNames.has(name), `a user's record with ${JSON.stringify(name)}`)
  return user
}

/** Most of those whom a phone book names are no users: tens of thousands of them are one object. */
export const noUser: Readonly<UserRecord> = newUser()

const blankText = JSON.stringify(noUser)

/** A registered user's record is kept, also one that only waits, follows or spends; else it goes. */
export function keptUser(user: Readonly<UserRecord>): Readonly<UserRecord> | undefined {
  return JSON.stringify(user) === blankText ? undefined : user
}

/**
 * What two users are to each other, seen from `a`: stored under both, so that one range read tells a user's device
 * everything about whom it sees, and the server everyone who sees the user.
 */
export interface Relation {
  /** What a's roster says of b, as far as it counts [D7]. */
  mine: ContactFacts
  /** What b's roster says of a, as far as it counts. */
  theirs: ContactFacts
  /** What `mine` and `theirs` follow from. */
  mySide: Side
  theirSide: Side
  isPaired: boolean
  /** a follows b, but beyond a limit, and is not served yet. */
  isWaiting: boolean
  /** a is shown b because b granted a level, without having asked [F4]. */
  isUnasked: boolean
  /** b's levels that a's devices get. */
  shown: readonly number[]
  /** The position at which `shown`, `isWaiting` or what a's roster is to confirm last changed; kept as a tombstone when all else is gone. */
  changedAt: number
  /** The position at which b registered while a followed and could see them; 0 when that never happened [F3]. */
  joinedAt: number
  /** When that was, in ms: it is not announced again for a while, also if the account was erased since [F3]. */
  joinedAtMs: number
}

/** What one of two users says of the other. */
export interface Side {
  /** As the roster has it. */
  said: ContactFacts
  /**
   * The incarnation of the other user's id that this roster must confirm, since the id changed hands after the roster gave
   * something to it [D7]: as `Incarnations.tokenOf` has it. Empty when there is none. Noted at the erasure, and derived from
   * no document.
   */
  unconfirmed: string
}

/** `my` or `their` side of a relation, with what counts of it. */
export function mySide(side: Side): Pick<Relation, 'mine' | 'mySide'> {
  return { mySide: side, mine: countingOf(side) }
}

export function theirSide(side: Side): Pick<Relation, 'theirs' | 'theirSide'> {
  return { theirSide: side, theirs: countingOf(side) }
}

/** What counts of what a roster says of another user [D7]. */
export function countingOf({ said, unconfirmed }: Side): ContactFacts {
  return countingFacts(said, unconfirmed)
}

/** The incarnation that a roster must confirm before what it says counts; empty when all of it counts. */
export function changedHands({ said, unconfirmed }: Side): string {
  return isUnconfirmed(said, unconfirmed) ? unconfirmed : ''
}

export const noFacts: ContactFacts = {
  isContact: false,
  levels: [],
  isSubscribed: false,
  isDeclined: false,
  isBlocked: false,
  confirmed: [],
}

const noSide: Side = { said: noFacts, unconfirmed: '' }

export const noRelation: Relation = {
  ...mySide(noSide),
  ...theirSide(noSide),
  isPaired: false,
  isWaiting: false,
  isUnasked: false,
  shown: [],
  changedAt: 0,
  joinedAt: 0,
  joinedAtMs: 0,
}

/** Whether anything still stands between the two; if not, the record is at most a tombstone. */
export function isTombstone(relation: Relation): boolean {
  return !relation.isPaired && saysNothing(relation.mySide.said) && saysNothing(relation.theirSide.said)
}

/** Whether a roster says nothing of another user. */
export function saysNothing(facts: ContactFacts): boolean {
  return !gives(facts) && !facts.isDeclined && !facts.isBlocked && facts.confirmed.length === 0
}

/** The two documents of a user. */
export type DocumentName = 'roster' | 'profile'

/** What viewers of one level get: the fields as `encodeFields` has them, and when they last changed. */
export interface LevelRecord {
  position: number
  fields: Uint8Array
}

/** The name of a level. */
export interface LevelName {
  owner: string
  level: number
}
