import type { FlatMaps, KeyChange } from '../flat-maps.ts'
import type { Audience } from '../visibility.ts'
import { type ContactFacts, contactFacts, factsOf, isUnconfirmed, rosterSettings } from './facts.ts'
import {
  type AudienceNames,
  grantKey,
  hidePresenceName,
  messageAudienceNames,
  nonceKey,
  parseNonceKey,
  publicAudienceNames,
} from './keys.ts'

/**
 * Every edit of a roster, as key changes. Nothing is written here. An edit that changes nothing returns no changes [R3]. The
 * changes are applied in one transaction.
 */

/** The preferences to set for a contact; absent ones are left unchanged. */
export interface ContactPreferences {
  isSubscribed?: boolean
  /** `sync` then ends the follows of these users, without declining them, and changes no other follow. */
  endsFollowsOf?: ReadonlySet<string> | undefined
  /** `null` withdraws the contact and every grant; `[]` keeps a contact with no grants. */
  levels?: readonly number[] | null
}

export interface ContactEdit extends ContactPreferences {
  /** The empty string removes the label. */
  label?: string
  isBlocked?: boolean
}

/** Makes an unpredictable nonce of 8–16 characters of base64url. */
export type NewNonce = () => string

/** How a bulk synchronisation changes each contact, and its counts. */
export interface SyncPlan {
  changes: KeyChange[]
  added: number
  updated: number
  unchanged: number
}

/** Overwrites the levels and the subscription of the given contacts, and changes no other [R2][R5]. */
export function planSync(roster: FlatMaps, users: readonly string[], preferences: ContactPreferences): SyncPlan {
  return planEach(roster, users, (user, facts) => [
    ...membershipChanges(user, facts, preferences),
    ...levelChanges(user, facts, preferences.levels),
    ...(preferences.endsFollowsOf
      ? facts.isSubscribed && preferences.endsFollowsOf.has(user)
        ? [removal('subscriptions', user)]
        : []
      : subscriptionChanges(user, facts, preferences.isSubscribed)),
  ])
}

/** Only adds: contacts, levels, subscriptions [R5]. */
export function planSyncAsUpdate(
  roster: FlatMaps,
  users: readonly string[],
  preferences: ContactPreferences,
): SyncPlan {
  const levels = preferences.levels
  return planEach(roster, users, (user, facts) => [
    ...membershipChanges(user, facts, levels === null ? { levels: facts.isContact ? [] : null } : preferences),
    ...(levels ? levelChanges(user, facts, [...facts.levels, ...levels]) : []),
    ...(preferences.isSubscribed ? subscriptionChanges(user, facts, true) : []),
  ])
}

/** Changes one contact's staged settings, and nothing else. */
export function planContact(roster: FlatMaps, user: string, edit: ContactEdit, newNonce: NewNonce): KeyChange[] {
  const facts = factsOf(roster, user)
  return [
    ...(edit.isBlocked === undefined ? [] : blockChanges(roster, user, facts, edit.isBlocked, newNonce)),
    ...(edit.levels === undefined ? [] : membershipChanges(user, facts, edit)),
    ...levelChanges(user, facts, edit.levels),
    ...subscriptionChanges(user, facts, edit.isSubscribed),
    ...(edit.label === undefined ? [] : labelChanges(roster, user, edit.label)),
  ]
}

/**
 * Confirms that the user knows the new holder of this id: the roster's entries for the id count again [D7]. Changes nothing
 * when there is nothing to confirm.
 */
export function planConfirmation(roster: FlatMaps, user: string, incarnation: string): KeyChange[] {
  if (!isUnconfirmed(factsOf(roster, user), incarnation)) return []
  return [...unconfirmChanges(roster, user), addition('confirmed', nonceKey(incarnation, user))]
}

/** Removes contact, label, grants, subscription and confirmation, and declines the user; a block stays. */
export function planRemoval(roster: FlatMaps, user: string): KeyChange[] {
  return planRemovals(roster, [user])
}

/** As {@link planRemoval}, for many users, with one pass over the roster. */
export function planRemovals(roster: FlatMaps, users: Iterable<string>): KeyChange[] {
  const facts = contactFacts(roster, users)
  const changes: KeyChange[] = []
  for (const [user, known] of facts) {
    changes.push(
      ...membershipChanges(user, known, { levels: null }),
      ...levelChanges(user, known, null),
      ...subscriptionChanges(user, known, false),
      ...labelChanges(roster, user, ''),
    )
  }
  for (const [key] of roster.entries('confirmed')) {
    if (facts.has(parseNonceKey(key)?.name ?? '')) changes.push(removal('confirmed', key))
  }
  return changes
}

/** The changes of automatic following for `user`: a follow, unless they are followed, blocked or declined. */
export function planAutomaticFollow(roster: FlatMaps, user: string): KeyChange[] {
  const facts = factsOf(roster, user)
  if (facts.isSubscribed || facts.isDeclined || facts.isBlocked) return []
  return subscriptionChanges(user, facts, true)
}

export function planAutoSync(roster: FlatMaps, isOn: boolean): KeyChange[] {
  const wasOn = roster.get('settings', 'autoSync') !== false
  return wasOn === isOn ? [] : [{ root: 'settings', key: 'autoSync', value: isOn }]
}

/**
 * Every change of the audience, except to `everyone`, adds a new key; a change that widens removes all keys that this device
 * sees. A change that narrows to `nobody` removes none: if it removed a `contactsOnly`, that would be missing after a device
 * that never saw it removes the `nobody` [R4].
 */
export function planAudience(roster: FlatMaps, audience: Audience, newNonce: NewNonce): KeyChange[] {
  if (rosterSettings(roster).audience === audience) return []
  return audienceChanges(roster, publicAudienceNames, audience, newNonce)
}

/** As {@link planAudience}, for the audience of messages. */
export function planMessageAudience(roster: FlatMaps, audience: Audience, newNonce: NewNonce): KeyChange[] {
  if (rosterSettings(roster).messageAudience === audience) return []
  return audienceChanges(roster, messageAudienceNames, audience, newNonce)
}

function audienceChanges(roster: FlatMaps, names: AudienceNames, audience: Audience, newNonce: NewNonce): KeyChange[] {
  const changes: KeyChange[] = []
  if (audience !== 'everyone') changes.push(addition('privacy', nonceKey(newNonce(), names[audience])))
  if (audience === 'nobody') return changes
  for (const [key] of roster.entries('privacy')) {
    const seen = parseNonceKey(key)?.name
    if (seen === names.contacts || seen === names.nobody) changes.push(removal('privacy', key))
  }
  return changes
}

/** Hiding adds a new key. Showing removes all keys that this device sees, so a hiding that it had not seen survives [R4]. */
export function planPresence(roster: FlatMaps, isHidden: boolean, newNonce: NewNonce): KeyChange[] {
  if (rosterSettings(roster).hidesPresence === isHidden) return []
  if (isHidden) return [addition('privacy', nonceKey(newNonce(), hidePresenceName))]
  const keys = [...roster.entries('privacy')].map(([key]) => key)
  return keys.filter(key => parseNonceKey(key)?.name === hidePresenceName).map(key => removal('privacy', key))
}

/**
 * Whether a change takes something away from others: it removes a contact, grant or subscription, or adds a block or a narrower
 * audience. Such changes go first when changes are applied again, and profile edits wait for them [D5].
 */
export function isNarrowing({ root, value }: KeyChange): boolean {
  const isAdded = value !== undefined
  return root === 'blocks' || root === 'privacy' || root === 'declined' ? isAdded : !isAdded
}

function planEach(
  roster: FlatMaps,
  users: readonly string[],
  changesFor: (user: string, facts: ContactFacts) => KeyChange[],
): SyncPlan {
  const plan: SyncPlan = { changes: [], added: 0, updated: 0, unchanged: 0 }
  for (const [user, facts] of contactFacts(roster, users)) {
    const changes = changesFor(user, facts)
    if (changes.length === 0) plan.unchanged++
    else if (isNewContact(facts, changes)) plan.added++
    else plan.updated++
    for (const change of changes) plan.changes.push(change)
  }
  return plan
}

/** Following or declining a user, or undoing that, makes no contact. */
function isNewContact(before: ContactFacts, changes: readonly KeyChange[]): boolean {
  if (before.isContact || before.levels.length > 0) return false
  return changes.some(({ root, value }) => (root === 'contacts' || root === 'grants') && value !== undefined)
}

function membershipChanges(user: string, { isContact }: ContactFacts, { levels }: ContactPreferences): KeyChange[] {
  const isWanted = levels !== null
  if (isWanted === isContact) return []
  return [isWanted ? addition('contacts', user) : removal('contacts', user)]
}

function levelChanges(user: string, facts: ContactFacts, wanted: readonly number[] | null | undefined): KeyChange[] {
  if (wanted === undefined) return []
  const kept = new Set(wanted)
  const had = new Set(facts.levels)
  return [
    ...facts.levels.filter(level => !kept.has(level)).map(level => removal('grants', grantKey(level, user))),
    ...[...kept].filter(level => !had.has(level)).map(level => addition('grants', grantKey(level, user))),
  ]
}

function subscriptionChanges(user: string, facts: ContactFacts, wanted: boolean | undefined): KeyChange[] {
  if (wanted === undefined) return []
  const changes: KeyChange[] = []
  if (facts.isSubscribed !== wanted) {
    changes.push(wanted ? addition('subscriptions', user) : removal('subscriptions', user))
  }
  if (facts.isDeclined === wanted) changes.push(wanted ? removal('declined', user) : addition('declined', user))
  return changes
}

function blockChanges(
  roster: FlatMaps,
  user: string,
  facts: ContactFacts,
  wanted: boolean,
  newNonce: NewNonce,
): KeyChange[] {
  if (facts.isBlocked === wanted) return []
  if (wanted) return [addition('blocks', nonceKey(newNonce(), user))]
  const changes: KeyChange[] = []
  for (const [key] of roster.entries('blocks')) {
    if (parseNonceKey(key)?.name === user) changes.push(removal('blocks', key))
  }
  return changes
}

function unconfirmChanges(roster: FlatMaps, user: string): KeyChange[] {
  const keys = [...roster.entries('confirmed')].map(([key]) => key)
  return keys.filter(key => parseNonceKey(key)?.name === user).map(key => removal('confirmed', key))
}

function labelChanges(roster: FlatMaps, user: string, label: string): KeyChange[] {
  if ((roster.get('labels', user) ?? '') === label) return []
  return [label === '' ? removal('labels', user) : { root: 'labels', key: user, value: label }]
}

function addition(root: string, key: string): KeyChange {
  return { root, key, value: true }
}

function removal(root: string, key: string): KeyChange {
  return { root, key, value: undefined }
}
