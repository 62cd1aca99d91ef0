import type { Fields } from '@kith/shared'
import type { KithDatabase } from './storage/database.ts'

/** A row of {@link Kith.contacts}. */
export interface Contact {
  id: string
  /** The user's own name for them; `undefined` when there is none. */
  label: string | undefined
  fields: Fields
  /** Granted to them, ascending. */
  levels: number[]
  isContact: boolean
  isSubscribed: boolean
  isBlocked: boolean
  hasJoined: boolean
  /** They are followed beyond a limit, and not served yet. */
  isWaiting: boolean
}

export async function listContacts(db: KithDatabase): Promise<Contact[]> {
  const rows = await db.people.where('isListed').equals(1).toArray()
  return rows.map(({ isListed: _isListed, isDeclined: _isDeclined, label, ...contact }) => ({
    ...contact,
    label: label === '' ? undefined : label,
  }))
}
