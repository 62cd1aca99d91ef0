import {
  contactFacts,
  type Fields,
  type FieldValue,
  isUnconfirmed,
  namedUsers,
  parseNonceKey,
  profileFields,
} from '@kith/shared'
import type { AnyFields } from '../api/app-types.ts'
import { wrong } from '../api/arguments.ts'
import { coreOf } from '../api/core-of.ts'
import { Kith } from '../api/kith.ts'
import { systemClock } from '../clock.ts'
import type { OwnDocuments } from '../database/own-documents.ts'
import { type AccountFile, accountFormat, accountVersion, type FileContact, type FileValue } from './file.ts'
import { encodeValue } from './values.ts'

/**
 * Exports all of the user's own data: profile, contacts, labels, levels, follows, blocks, settings. Resolves to the text of a
 * JSON file (see {@link AccountFile}) that `importAccount` reads, on any server. It has what this device holds, also offline and
 * unsent: call `kith.whenSynced()` first for what other devices have changed. What other users show to this user is theirs, and
 * not in it.
 *
 * ```ts
 * const file = new Blob([await exportAccount(kith)], { type: 'application/json' })
 * ```
 *
 * The file holds everything, also what is private: treat it as a secret. Rejects with `closed` when the client was closed.
 *
 * @param kith - The client whose user it is, as `openKith` returned it.
 */
export async function exportAccount(kith: Kith<AnyFields, AnyFields>): Promise<string> {
  if (!(kith instanceof Kith)) throw wrong('kith', 'the result of openKith', kith)
  const core = coreOf(kith)
  core.checkOpen()
  await core.store.refresh() // What other tabs wrote.
  const { documents } = core.store
  const settings = [...documents.roster.view.entries('settings')] as [string, string | number | boolean][]
  const file: AccountFile = {
    format: accountFormat,
    version: accountVersion,
    user: core.user,
    exportedAt: new Date(systemClock.now()).toISOString(),
    profile: [...profileFields(documents.profile.view)]
      .sort(([a], [b]) => a - b)
      .map(([level, fields]) => ({ level, fields: encodeFields(fields) })),
    contacts: contactsOf(documents),
    settings: Object.fromEntries(settings.sort(byName)),
    privacy: privacyOf(documents),
  }
  return `${JSON.stringify(file, undefined, 2)}\n`
}

function contactsOf({ roster, hands }: OwnDocuments): FileContact[] {
  const contacts: FileContact[] = []
  for (const [id, facts] of contactFacts(roster.view, namedUsers(roster.view))) {
    const label = roster.view.get('labels', id)
    const contact: FileContact = {
      id,
      ...(typeof label === 'string' && { label }),
      ...(facts.isContact && { isContact: true }),
      ...(facts.levels.length > 0 && { levels: [...facts.levels] }),
      ...(facts.isSubscribed && { isSubscribed: true }),
      ...(facts.isDeclined && { isDeclined: true }),
      ...(facts.isBlocked && { isBlocked: true }),
      ...(isUnconfirmed(facts, hands.get(id)?.incarnation ?? '') && { hasChangedHands: true }),
    }
    if (Object.keys(contact).length > 1) contacts.push(contact)
  }
  return contacts.sort((a, b) => (a.id < b.id ? -1 : 1))
}

function privacyOf({ roster }: OwnDocuments): string[] {
  const names = [...roster.view.entries('privacy')].map(([key]) => parseNonceKey(key)?.name)
  return [...new Set(names.filter(name => name !== undefined))].sort()
}

function encodeFields(fields: Fields): Record<string, FileValue> {
  const entries: [string, FieldValue][] = Object.entries(fields)
  return Object.fromEntries(entries.sort(byName).map(([name, value]) => [name, encodeValue(value)]))
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}
