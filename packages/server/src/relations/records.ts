import { type Audience, type ContactFacts, countingFacts, gives, isUnconfirmed } from '@kith/shared'
import { expectKnown } from './unknown-record.ts'

/** The server's record of one user. */
export interface UserRecord {
  /** The position at which the user registered. 0: not registered, but named by others or by the backend. */
  registeredAt: number
  /**
   * The account exists, but nothing of it is shown since the store was restored from a backup, see `withhold.ts`. It ends when
   * the user registers. Absent otherwise.
   */
  isWithheld?: true | undefined
  restricted: boolean
  announceJoin: boolean
  audience: Audience
  autoSync: boolean
  /** Absent while the user hides nothing. */
  hidesPresence?: true | undefined
  /** Whose messages reach the user. Absent for everyone's. */
  messageAudience?: 'contacts' | 'nobody' | undefined
  /**
   * When the user's last device disconnected, in minutes since 1970. The server records it as it happens; it is not derived
   * from a document. Absent until then, and for an account that was erased.
   */
  lastSeenMinute?: number | undefined
  /** Level → position of its last change. An emptied level is kept, so that viewers are notified of it. */
  levels: Record<string, number>
  /** The number of follows that are served. `waiting` counts those that wait ([S3], [S4]). */
  follows: number
  waiting: number
  /** The number of owners who are shown to this user because they granted a level [F4]. */
  unasked: number
  /** First-time look-ups left at a time in ms [S4]. Absent while none was spent. */
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
  ...(['isWithheld', 'hidesPresence', 'messageAudience', 'lastSeenMinute', 'lookups'] satisfies (keyof UserRecord)[]),
])

/** Returns a record that was read. Throws {@link UnknownRecord} if it has a member that this version does not know. */
export function knownUser(user: UserRecord): UserRecord {
  for (const name in user) expectKnown(memberNames.has(name), `a user's record with ${JSON.stringify(name)}`)
  return user
}

/** Whether the account exists and nothing of it is shown, because the store was restored from a backup. */
export function isWithheld({ registeredAt, isWithheld }: Readonly<UserRecord>): boolean {
  return registeredAt === 0 && isWithheld === true
}

/** Whether the account exists: it is registered, or withheld. */
export function hasAccount(user: Readonly<UserRecord>): boolean {
  return user.registeredAt > 0 || isWithheld(user)
}

/** Most people in a phone book are not users. Tens of thousands of them share this object. */
export const noUser: Readonly<UserRecord> = newUser()

const blankText = JSON.stringify(noUser)

/**
 * Returns the record if it must be kept: a registered or withheld user's record, or one that waits, follows or has spent
 * look-ups. Otherwise returns `undefined`.
 */
export function keptUser(user: Readonly<UserRecord>): Readonly<UserRecord> | undefined {
  return JSON.stringify(user) === blankText ? undefined : user
}

/**
 * The relation of two users, seen from `a`. It is stored under both, so one range read finds everything for a user's device,
 * and another finds everyone who sees the user.
 */
export interface Relation {
  /** What a's roster says about b, as far as it counts [D7]. */
  mine: ContactFacts
  /** What b's roster says about a, as far as it counts. */
  theirs: ContactFacts
  /** What `mine` and `theirs` are derived from. */
  mySide: Side
  theirSide: Side
  isPaired: boolean
  /** a follows b, but the follow exceeds a limit and is not served yet. */
  isWaiting: boolean
  /** a is shown b because b granted a level, without a follow [F4]. */
  isUnasked: boolean
  /** b's levels that a's devices get. */
  shown: readonly number[]
  /**
   * The position at which `shown`, `isWaiting` or what a's roster must confirm last changed. Kept as a tombstone when
   * everything else is gone.
   */
  changedAt: number
  /** The position at which b registered while a followed and could see b. 0 if that never happened [F3]. */
  joinedAt: number
  /** The time of `joinedAt`, in ms. For a while the id is not announced again, even if the account was erased since [F3]. */
  joinedAtMs: number
}

/** What one of two users says about the other. */
export interface Side {
  /** As it is in the roster. */
  said: ContactFacts
  /**
   * The incarnation of the other user's id that this roster must confirm, because the id changed hands after the roster gave
   * something to it [D7]. In the format of `Incarnations.tokenOf`. Empty if there is none. Recorded at the erasure, and not
   * derived from a document.
   */
  unconfirmed: string
}

/** `my` or `their` side of a relation, with the part of it that counts. */
export function mySide(side: Side): Pick<Relation, 'mine' | 'mySide'> {
  return { mySide: side, mine: countingOf(side) }
}

export function theirSide(side: Side): Pick<Relation, 'theirs' | 'theirSide'> {
  return { theirSide: side, theirs: countingOf(side) }
}

/** Returns the part that counts of what a roster says about another user [D7]. */
export function countingOf({ said, unconfirmed }: Side): ContactFacts {
  return countingFacts(said, unconfirmed)
}

/** The incarnation that a roster must confirm before its entries count. Empty if all of them count. */
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

/** Whether nothing is left between the two, so the record is at most a tombstone. */
export function isTombstone(relation: Relation): boolean {
  return !relation.isPaired && saysNothing(relation.mySide.said) && saysNothing(relation.theirSide.said)
}

/** Whether a roster says nothing about another user. */
export function saysNothing(facts: ContactFacts): boolean {
  return !gives(facts) && !facts.isDeclined && !facts.isBlocked && facts.confirmed.length === 0
}

/** The two documents of a user. */
export type DocumentName = 'roster' | 'profile'

/** What viewers of one level get: the fields in the format of `encodeFields`, and when they last changed. */
export interface LevelRecord {
  position: number
  fields: Uint8Array
}

/** The name of a level. */
export interface LevelName {
  owner: string
  level: number
}
