import {
  type ContactFacts,
  contactFacts,
  type FlatMaps,
  grantKey,
  type KeyChange,
  type NewNonce,
  nonceKey,
  parseNonceKey,
  planField,
  profileFields,
  sameValue,
} from '@kith/shared'
import type { FileContact } from '@kith/shared/account'
import type { Account } from './read-file.ts'

/** What an import adds, and the number of values that it keeps. */
export interface AccountPlan {
  roster: KeyChange[]
  profile: KeyChange[]
  /** Users for whom something is added. */
  contacts: Set<string>
  /** Fields and labels for which the account has another value. */
  kept: number
}

interface Own {
  readonly user: string
  readonly writer: string
  readonly newNonce: NewNonce
}

/** Adds what the account lacks, and changes nothing that it has. The narrower privacy applies [R4]. */
export function planAccount(account: Account, roster: FlatMaps, profile: FlatMaps, own: Own): AccountPlan {
  const plan: AccountPlan = { roster: [], profile: [], contacts: new Set(), kept: 0 }
  const others = account.contacts.filter(({ id }) => id !== own.user)
  const facts = contactFacts(
    roster,
    others.map(({ id }) => id),
  )
  for (const contact of others) {
    const changes = contactChanges(contact, facts.get(contact.id) as ContactFacts, own.newNonce)
    const label = roster.get('labels', contact.id)
    if (contact.label !== undefined && label === undefined) {
      changes.push({ root: 'labels', key: contact.id, value: contact.label })
    } else if (contact.label !== undefined && label !== contact.label) plan.kept++
    if (changes.length > 0) plan.contacts.add(contact.id)
    plan.roster.push(...changes)
  }
  for (const [key, value] of account.settings) {
    if (!roster.has('settings', key)) plan.roster.push({ root: 'settings', key, value })
  }
  const privacy = new Set([...roster.entries('privacy')].map(([key]) => parseNonceKey(key)?.name))
  for (const name of new Set(account.privacy)) {
    if (!privacy.has(name)) plan.roster.push({ root: 'privacy', key: nonceKey(own.newNonce(), name), value: true })
  }
  const fields = profileFields(profile)
  for (const { level, name, value } of account.fields) {
    const there = fields.get(level)
    if (!there || !Object.hasOwn(there, name)) plan.profile.push(...planField(profile, own.writer, level, name, value))
    else if (!sameValue(there[name], value)) plan.kept++
  }
  return plan
}

function contactChanges(contact: FileContact, facts: ContactFacts, newNonce: NewNonce): KeyChange[] {
  const { id } = contact
  const adds: [isAdded: boolean | undefined, root: string, key: string][] = [
    [contact.isBlocked && !facts.isBlocked, 'blocks', nonceKey(newNonce(), id)],
    [contact.isDeclined && !facts.isDeclined && !facts.isSubscribed, 'declined', id],
  ]
  // A grant or follow that did not count for the id's holder is not given to the id's holder on another server [D7].
  if (!contact.hasChangedHands) {
    adds.push([contact.isContact && !facts.isContact, 'contacts', id])
    adds.push([contact.isSubscribed && !facts.isSubscribed && !facts.isDeclined, 'subscriptions', id])
    for (const level of new Set(contact.levels)) {
      adds.push([!facts.levels.includes(level), 'grants', grantKey(level, id)])
    }
  }
  return adds.filter(([isAdded]) => isAdded).map(([, root, key]) => ({ root, key, value: true }))
}
