import type { Fields } from '@kith/shared'
import type { Tables } from '../database/contract.ts'
import type { PersonRow } from '../database/schema.ts'
import { sameFields } from '../fields.ts'
import type { FieldsOf, FieldTypes } from './app-types.ts'
import type { Profile } from './contact-profile.ts'

/** A row of `kith.contacts()`. */
export interface Contact<F extends FieldTypes<F> = Fields> {
  id: string
  /** The name that this user gave them; `undefined` when there is none. */
  label: string | undefined
  fields: FieldsOf<F>
  /** The levels granted to them, in ascending order. */
  levels: number[]
  isContact: boolean
  isSubscribed: boolean
  isBlocked: boolean
  hasJoined: boolean
  /** Whether the follow exceeds a limit, so that the server does not serve it yet. */
  isWaiting: boolean
  /** Whether the user id has changed hands: grants and the follow do not count until they are confirmed [D7]. */
  hasChangedHands: boolean
}

export async function listContacts(db: Tables): Promise<Contact[]> {
  const rows = await db.people.where('isListed').equals(1).toArray()
  return rows.map(contactOf)
}

/** Reads the rows of those users among `ids` whom `contacts()` lists. */
export async function readListed(db: Tables, ids: readonly string[]): Promise<Contact[]> {
  const rows = await db.people.bulkGet([...ids])
  return rows.filter(row => row?.isListed === 1).map(row => contactOf(row as PersonRow))
}

/** The row of any user; an empty row if this device knows nothing of the user. */
export async function readContact(db: Tables, id: string): Promise<Contact> {
  const row = await db.people.get(id)
  return row ? contactOf(row) : emptyContact(id)
}

function emptyContact(id: string): Contact {
  const no = { isContact: false, isSubscribed: false, isBlocked: false, hasJoined: false, isWaiting: false }
  return { id, label: undefined, fields: {}, levels: [], ...no, hasChangedHands: false }
}

/** Returns the row of a profile in memory. */
export function contactOfProfile(profile: Profile, isWaiting: boolean): Contact {
  const { id, label, fields, isContact, isSubscribed, isBlocked, hasJoined, hasChangedHands } = profile
  const levels = [...profile.accessLevels]
  return { id, label, fields, levels, isContact, isSubscribed, isBlocked, hasJoined, isWaiting, hasChangedHands }
}

/** Returns `now`, with each unchanged row replaced by its object in `before`; returns `before` when no row changed. */
export function keepContacts(before: Contact[], now: Contact[]): Contact[] {
  const known = new Map(before.map(contact => [contact.id, contact]))
  const kept = now.map(contact => keepContact(known.get(contact.id), contact))
  return kept.length === before.length && kept.every((contact, index) => contact === before[index]) ? before : kept
}

export function keepContact(before: Contact | undefined, now: Contact): Contact {
  return before && sameContact(before, now) ? before : now
}

export function sameContact(a: Contact, b: Contact): boolean {
  return (
    a.id === b.id &&
    a.label === b.label &&
    a.isContact === b.isContact &&
    a.isSubscribed === b.isSubscribed &&
    a.isBlocked === b.isBlocked &&
    a.hasJoined === b.hasJoined &&
    a.isWaiting === b.isWaiting &&
    a.hasChangedHands === b.hasChangedHands &&
    a.levels.length === b.levels.length &&
    a.levels.every((level, index) => level === b.levels[index]) &&
    sameFields(a.fields, b.fields)
  )
}

function contactOf({ isListed: _isListed, isDeclined: _isDeclined, label, ...contact }: PersonRow): Contact {
  // Rows of an earlier version lack it.
  const { hasChangedHands = false } = contact as Partial<Contact>
  return { ...contact, hasChangedHands, label: label === '' ? undefined : label }
}
