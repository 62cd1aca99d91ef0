import type { FlatMaps } from '../flat-maps.ts'
import type { Audience } from '../visibility.ts'
import {
  type AudienceNames,
  grantKey,
  hidePresenceName,
  highestLevel,
  messageAudienceNames,
  parseGrantKey,
  parseNonceKey,
  publicAudienceNames,
} from './keys.ts'

/** The facts of a roster about one other user. */
export interface ContactFacts {
  /** Is in `contacts`. */
  isContact: boolean
  /** The granted levels, in ascending order. */
  levels: readonly number[]
  isSubscribed: boolean
  isDeclined: boolean
  isBlocked: boolean
  /** The incarnations of the user id that the roster confirms [D7], in order; at most {@link mostConfirmed} of them. */
  confirmed: readonly string[]
}

/** The settings of a roster's owner. */
export interface RosterSettings {
  audience: Audience
  autoSync: boolean
  /** No viewer learns whether the owner is online, or was online. */
  hidesPresence: boolean
  /** Whose messages reach the owner. */
  messageAudience: Audience
}

/** Facts about the given users, in their order. The cost grows with the users or with the roster, whichever is smaller. */
export function contactFacts(roster: FlatMaps, users: Iterable<string>): Map<string, ContactFacts> {
  const named = new Set(users)
  const levels = grantedLevels(roster, named)
  const blocked = blockedUsers(roster)
  const confirmed = confirmedIncarnations(roster, named)
  const facts = new Map<string, ContactFacts>()
  for (const user of named) {
    facts.set(user, {
      isContact: roster.has('contacts', user),
      levels: levels.get(user) ?? [],
      isSubscribed: roster.has('subscriptions', user),
      isDeclined: roster.has('declined', user),
      isBlocked: blocked.has(user),
      confirmed: confirmed.get(user) ?? [],
    })
  }
  return facts
}

/** Facts about one user; all false and empty when the roster does not name them. */
export function factsOf(roster: FlatMaps, user: string): ContactFacts {
  return contactFacts(roster, [user]).get(user) as ContactFacts
}

/** For a few users, looking up 256 keys for each is faster than a pass over all grants; for many users it is slower. */
const fewUsers = 32

function grantedLevels(roster: FlatMaps, users: ReadonlySet<string>): Map<string, number[]> {
  const levelsByUser = new Map<string, number[]>()
  const add = (user: string, level: number): void => {
    const levels = levelsByUser.get(user)
    if (levels) levels.push(level)
    else levelsByUser.set(user, [level])
  }
  if (users.size <= fewUsers) {
    for (const user of users) {
      for (let level = 0; level <= highestLevel; level++) {
        if (roster.has('grants', grantKey(level, user))) add(user, level)
      }
    }
    return levelsByUser
  }
  for (const [key] of roster.entries('grants')) {
    const grant = parseGrantKey(key)
    if (grant && users.has(grant.user)) add(grant.user, grant.level)
  }
  for (const levels of levelsByUser.values()) levels.sort((a, b) => a - b)
  return levelsByUser
}

/**
 * A device that confirms an incarnation removes earlier confirmations, so only a hostile device writes more than a few. The
 * bound keeps the copies in other users' records small.
 */
const mostConfirmed = 8

function confirmedIncarnations(roster: FlatMaps, users: ReadonlySet<string>): Map<string, string[]> {
  const incarnationsByUser = new Map<string, string[]>()
  for (const [key] of roster.entries('confirmed')) {
    const confirmation = parseNonceKey(key)
    if (!confirmation || !users.has(confirmation.name)) continue
    const known = incarnationsByUser.get(confirmation.name) ?? []
    incarnationsByUser.set(confirmation.name, [...known, confirmation.nonce].sort().slice(0, mostConfirmed))
  }
  return incarnationsByUser
}

/** Whether these facts contain anything that a change of hands affects: a contact, a grant or a follow [D7]. */
export function gives({ isContact, levels, isSubscribed }: ContactFacts): boolean {
  return isContact || levels.length > 0 || isSubscribed
}

/**
 * Whether the user id has changed hands since these facts were written, and the roster has not confirmed the new holder.
 * `incarnation`: the one that must be confirmed; empty when there is none.
 */
export function isUnconfirmed(facts: ContactFacts, incarnation: string): boolean {
  return incarnation !== '' && gives(facts) && !facts.confirmed.includes(incarnation)
}

/**
 * The facts that count [D7]: until the roster confirms the incarnation, no contact, no grant and no follow. A block and a
 * decline always count.
 */
export function countingFacts(facts: ContactFacts, incarnation: string): ContactFacts {
  return isUnconfirmed(facts, incarnation) ? { ...facts, isContact: false, levels: [], isSubscribed: false } : facts
}

/** All users that the roster blocks. */
export function blockedUsers(roster: FlatMaps): Set<string> {
  const blocked = new Set<string>()
  for (const [key] of roster.entries('blocks')) {
    const name = parseNonceKey(key)?.name
    if (name !== undefined) blocked.add(name)
  }
  return blocked
}

/** Of several privacy settings, the narrowest counts [R4]; `autoSync` is on unless it was turned off. */
export function rosterSettings(roster: FlatMaps): RosterSettings {
  const names = new Set<string | undefined>()
  for (const [key] of roster.entries('privacy')) names.add(parseNonceKey(key)?.name)
  const narrowest = ({ nobody, contacts }: AudienceNames): Audience =>
    names.has(nobody) ? 'nobody' : names.has(contacts) ? 'contacts' : 'everyone'
  return {
    audience: narrowest(publicAudienceNames),
    autoSync: roster.get('settings', 'autoSync') !== false,
    hidesPresence: names.has(hidePresenceName),
    messageAudience: narrowest(messageAudienceNames),
  }
}

/** Every user that the roster names, in any root. */
export function namedUsers(roster: FlatMaps): Set<string> {
  const users = blockedUsers(roster)
  for (const [key] of roster.entries('confirmed')) {
    const name = parseNonceKey(key)?.name
    if (name !== undefined) users.add(name)
  }
  for (const root of ['contacts', 'labels', 'subscriptions', 'declined'] as const) {
    for (const [user] of roster.entries(root)) users.add(user)
  }
  for (const [key] of roster.entries('grants')) {
    const grant = parseGrantKey(key)
    if (grant) users.add(grant.user)
  }
  return users
}
