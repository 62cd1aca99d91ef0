import type { FieldValue, FlatMaps } from '../flat-maps.ts'
import type { Fields } from '../profile.ts'
import { contactFacts, isUnconfirmed, namedUsers } from '../roster/facts.ts'
import { parseNonceKey } from '../roster/keys.ts'
import { type AccountFile, accountFormat, accountVersion, type FileContact, type FileValue } from './file.ts'
import { encodeValue } from './values.ts'

/** The content of a file. */
export interface AccountContent {
  user: string
  /** When the file is made, in milliseconds since 1970. */
  exportedAtMs: number
  /** The fields of each level. */
  profile: ReadonlyMap<number, Fields>
  roster: FlatMaps
  /** The incarnation that the roster must confirm for an id that has changed hands [D7]; empty for every other id. */
  unconfirmedOf(id: string): string
}

/** Returns the file of an account, in an order that does not depend on the account's history. */
export function accountFile({ user, exportedAtMs, profile, roster, unconfirmedOf }: AccountContent): AccountFile {
  return {
    format: accountFormat,
    version: accountVersion,
    user,
    exportedAt: new Date(exportedAtMs).toISOString(),
    profile: [...profile].sort(([a], [b]) => a - b).map(([level, fields]) => ({ level, fields: encodeFields(fields) })),
    contacts: contactsOf(roster, unconfirmedOf),
    settings: encodeFields(Object.fromEntries(roster.entries('settings'))) as AccountFile['settings'],
    privacy: privacyOf(roster),
  }
}

function contactsOf(roster: FlatMaps, unconfirmedOf: AccountContent['unconfirmedOf']): FileContact[] {
  const contacts: FileContact[] = []
  for (const [id, facts] of contactFacts(roster, namedUsers(roster))) {
    const label = roster.get('labels', id)
    const contact: FileContact = {
      id,
      ...(typeof label === 'string' && label !== '' && { label }),
      ...(facts.isContact && { isContact: true }),
      ...(facts.levels.length > 0 && { levels: [...facts.levels] }),
      ...(facts.isSubscribed && { isSubscribed: true }),
      ...(facts.isDeclined && { isDeclined: true }),
      ...(facts.isBlocked && { isBlocked: true }),
      ...(isUnconfirmed(facts, unconfirmedOf(id)) && { hasChangedHands: true }),
    }
    if (Object.keys(contact).length > 1) contacts.push(contact)
  }
  return contacts.sort((a, b) => (a.id < b.id ? -1 : 1))
}

function privacyOf(roster: FlatMaps): string[] {
  const names = [...roster.entries('privacy')].map(([key]) => parseNonceKey(key)?.name)
  return [...new Set(names.filter(name => name !== undefined))].sort()
}

function encodeFields(fields: Fields): Record<string, FileValue> {
  const entries: [string, FieldValue][] = Object.entries(fields)
  return Object.fromEntries(entries.sort(byName).map(([name, value]) => [name, encodeValue(value)]))
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}
