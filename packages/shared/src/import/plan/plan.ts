import { type FieldValue, type FlatMaps, type KeyChange, sameValue } from '../../flat-maps.ts'
import { type ContactPreferences, planRemoval, planSyncAsUpdate } from '../../roster/edits.ts'
import { contactFacts } from '../../roster/facts.ts'
import { type RosterRoot, userOfKey } from '../../roster/keys.ts'
import type { ImportContact } from './book.ts'

/** What the last import of a source had: address → the label that the file gave it, `''` for none. */
export type ImportRecord = ReadonlyMap<string, string>

/** How many contacts one transaction takes. */
export const contactsPerTransaction = 1000

export interface ImportChanges {
  changes: KeyChange[]
  added: ImportContact[]
  changed: ImportContact[]
  unchanged: ImportContact[]
}

/**
 * What importing these contacts changes: as `syncAsUpdate`, it only adds contacts, levels and a subscription [R5]. A label is
 * written when the file has another one than at the last import, so a contact that the user renamed keeps that name until the
 * file changes.
 */
export function planContacts(
  roster: FlatMaps,
  contacts: readonly ImportContact[],
  preferences: ContactPreferences,
  record: ImportRecord,
): ImportChanges {
  const users = contacts.map(({ address }) => address)
  const { changes } = planSyncAsUpdate(roster, users, preferences)
  for (const { address, label } of contacts) {
    if (label === undefined || record.get(address) === label || roster.get('labels', address) === label) continue
    changes.push({ root: 'labels', key: address, value: label })
  }
  const touched = new Set(changes.map(({ root, key }) => userOfKey(root as RosterRoot, key)))
  const facts = contactFacts(roster, users)
  const plan: ImportChanges = { changes, added: [], changed: [], unchanged: [] }
  for (const contact of contacts) {
    const { isContact = false, levels = [] } = facts.get(contact.address) ?? {}
    if (!touched.has(contact.address)) plan.unchanged.push(contact)
    else if (isContact || levels.length > 0) plan.changed.push(contact)
    else plan.added.push(contact)
  }
  return plan
}

/** The contacts that the last import of the source had, that this one has not, and that are contacts still. */
export function goneContacts(
  roster: FlatMaps,
  record: ImportRecord,
  contacts: ReadonlyMap<string, unknown>,
): ImportContact[] {
  const left = [...record.keys()].filter(address => !contacts.has(address))
  const gone: ImportContact[] = []
  for (const [address, { isContact, levels }] of contactFacts(roster, left)) {
    if (!isContact && levels.length === 0) continue
    gone.push({ address, label: roster.get('labels', address) as string | undefined })
  }
  return gone
}

export function planGone(roster: FlatMaps, gone: readonly ImportContact[]): KeyChange[] {
  return gone.flatMap(({ address }) => planRemoval(roster, address))
}

/** A change that was made, and what stood there before. */
export interface MadeChange extends KeyChange {
  before: FieldValue | undefined
}

export function madeChanges(roster: FlatMaps, changes: readonly KeyChange[]): MadeChange[] {
  return changes.map(change => ({ ...change, before: roster.get(change.root, change.key) }))
}

/** Takes changes back, except where something else was written since. */
export function planUndo(roster: FlatMaps, made: readonly MadeChange[]): KeyChange[] {
  return made
    .filter(({ root, key, value }) => sameValue(roster.get(root, key), value))
    .map(({ root, key, before }) => ({ root, key, value: before }))
}

/** The contacts in pieces of one transaction each. */
export function inTransactions<T>(contacts: readonly T[]): T[][] {
  const pieces: T[][] = []
  for (let from = 0; from < contacts.length; from += contactsPerTransaction) {
    pieces.push(contacts.slice(from, from + contactsPerTransaction))
  }
  return pieces
}

/** What is to be remembered of an import of these contacts. */
export function recordOf(contacts: ReadonlyMap<string, string | undefined>): Map<string, string> {
  return new Map([...contacts].map(([address, label]) => [address, label ?? '']))
}
