import { type FieldValue, type FlatMaps, type KeyChange, sameValue } from '../../flat-maps.ts'
import { type ContactPreferences, planRemoval, planSyncAsUpdate } from '../../roster/edits.ts'
import { contactFacts } from '../../roster/facts.ts'
import { type RosterRoot, userOfKey } from '../../roster/keys.ts'
import type { ImportContact } from './book.ts'

/** The contacts of the last import of a source: address → the label in the file, `''` for none. */
export type ImportRecord = ReadonlyMap<string, string>

/** The number of contacts per transaction. */
export const contactsPerTransaction = 1000

export interface ImportChanges {
  changes: KeyChange[]
  added: ImportContact[]
  changed: ImportContact[]
  unchanged: ImportContact[]
}

/**
 * Returns the changes of importing these contacts. Like `syncAsUpdate`, it only adds contacts, levels and a subscription [R5].
 * A label is written if it differs from the file's label at the last import, so a contact that the user renamed keeps that name
 * until the file changes. A user who has no label and is no contact any more is added as at first, with the label.
 */
export function planContacts(
  roster: FlatMaps,
  contacts: readonly ImportContact[],
  preferences: ContactPreferences,
  record: ImportRecord,
): ImportChanges {
  const users = contacts.map(({ address }) => address)
  const { changes } = planSyncAsUpdate(roster, users, preferences)
  const facts = contactFacts(roster, users)
  const isContact = (address: string): boolean => {
    const { isContact = false, levels = [] } = facts.get(address) ?? {}
    return isContact || levels.length > 0
  }
  for (const { address, label } of contacts) {
    const old = roster.get('labels', address)
    const isKept = record.get(address) === label && (old !== undefined || isContact(address))
    if (label === undefined || isKept || old === label) continue
    changes.push({ root: 'labels', key: address, value: label })
  }
  const touched = new Set(changes.map(({ root, key }) => userOfKey(root as RosterRoot, key)))
  const plan: ImportChanges = { changes, added: [], changed: [], unchanged: [] }
  for (const contact of contacts) {
    if (!touched.has(contact.address)) plan.unchanged.push(contact)
    else if (isContact(contact.address)) plan.changed.push(contact)
    else plan.added.push(contact)
  }
  return plan
}

/** The contacts of the source's last import that are not in this one, and that are still contacts. */
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

/** A change that was made, and the value before it. */
export interface MadeChange extends KeyChange {
  before: FieldValue | undefined
}

export function madeChanges(roster: FlatMaps, changes: readonly KeyChange[]): MadeChange[] {
  return changes.map(change => ({ ...change, before: roster.get(change.root, change.key) }))
}

/** Undoes changes, except where another value was written since. */
export function planUndo(roster: FlatMaps, made: readonly MadeChange[]): KeyChange[] {
  return made
    .filter(({ root, key, value }) => sameValue(roster.get(root, key), value))
    .map(({ root, key, before }) => ({ root, key, value: before }))
}

/** Splits the contacts into one piece per transaction. */
export function inTransactions<T>(contacts: readonly T[]): T[][] {
  const pieces: T[][] = []
  for (let from = 0; from < contacts.length; from += contactsPerTransaction) {
    pieces.push(contacts.slice(from, from + contactsPerTransaction))
  }
  return pieces
}

/** The record to store for an import of these contacts. */
export function recordOf(contacts: ReadonlyMap<string, string | undefined>): Map<string, string> {
  return new Map([...contacts].map(([address, label]) => [address, label ?? '']))
}
