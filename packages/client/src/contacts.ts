import type { Fields } from '@kith/shared'
import type { KithDatabase } from './storage/database.ts'

/** A row of {@link Kith.contacts}. */
export interface Contact {
  id: string
  label: string
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
  return rows.map(({ isListed: _isListed, isDeclined: _isDeclined, ...contact }) => contact)
}
