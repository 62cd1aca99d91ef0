import {
  contactFacts,
  flatMapsOf,
  isFounder,
  namedUsers,
  namesRetired,
  profileFields,
  retiredOf,
  rosterSettings,
} from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import { longDeclined } from '../../documents/declined.ts'
import { StoredDocument } from '../../documents/stored-document.ts'
import { noFacts, type Relation, saysNothing, type UserRecord } from '../records.ts'
import type { Checking } from './checked-store.ts'
import { sameFacts } from './same-facts.ts'

const dayMs = 86_400_000

/** Returns the stored parts of the roster, and the users that it declined long ago. */
export async function checkRoster(
  { state, user, lapsing, note }: Checking,
  record: UserRecord,
  relations: readonly (readonly [string, Relation])[],
): Promise<{ parts: Uint8Array[]; declined: readonly string[] }> {
  const parts = await state.documentOf(user, 'roster')
  if (parts.length === 0 && isBlank(record, relations)) return { parts, declined: [] }
  const stored = new Map(relations)
  const roster = new StoredDocument('roster', parts)
  checkGeneration('roster', roster, note)
  const view = flatMapsOf(roster.doc)
  const settings = rosterSettings(view)
  if (settings.audience !== record.audience) note(`audience is ${record.audience}, not ${settings.audience}`)
  if (settings.autoSync !== record.autoSync) note(`autoSync is ${record.autoSync}, not ${settings.autoSync}`)
  const { hidesPresence = false } = record
  if (settings.hidesPresence !== hidesPresence) note(`hidesPresence is ${hidesPresence}, not ${settings.hidesPresence}`)
  const { messageAudience = 'everyone' } = record
  if (settings.messageAudience !== messageAudience) {
    note(`messageAudience is ${messageAudience}, not ${settings.messageAudience}`)
  }
  const named = new Set([...namedUsers(view), ...stored.keys()])
  named.delete(user)
  for (const [other, facts] of contactFacts(view, named)) {
    if (!sameFacts(stored.get(other)?.mySide.said ?? noFacts, facts)) {
      note(`what the roster says of ${JSON.stringify(other)} is derived otherwise`)
    }
  }
  const declined = lapsing ? longDeclined(roster.doc, Math.floor(lapsing.confirmedMs / dayMs)) : []
  roster.destroy()
  return { parts, declined }
}

/** Whether a user without a roster has the record of an id that others merely name. Most ids in phone books are such ids. */
function isBlank(record: UserRecord, relations: readonly (readonly [string, Relation])[]): boolean {
  if (record.audience !== 'everyone' || !record.autoSync || record.hidesPresence || record.messageAudience) return false
  return relations.every(([, { mySide }]) => saysNothing(mySide.said))
}

/** Entries that an ended generation had removed would count again. */
function checkGeneration(name: string, { doc }: StoredDocument, note: Checking['note']): void {
  const clients = [...doc.store.clients.keys()]
  if (namesRetired(retiredOf(doc), clients)) note(`the ${name} has entries of an earlier generation`)
  if (clients.filter(isFounder).length > 1) note(`the ${name} has two founders`)
}

/** Returns the stored parts of the profile. */
export async function checkProfile({ state, user, note }: Checking, record: UserRecord): Promise<Uint8Array[]> {
  const [parts, levels] = [await state.documentOf(user, 'profile'), await state.levelsOf(user)]
  if (parts.length === 0 && levels.length === 0 && Object.keys(record.levels).length === 0) return parts
  const profile = new StoredDocument('profile', parts)
  checkGeneration('profile', profile, note)
  const fields = profileFields(flatMapsOf(profile.doc))
  const seen = new Set<number>()
  for (const [level, stored] of levels) {
    seen.add(level)
    if (record.levels[String(level)] !== stored.position) note(`level ${level} has two positions`)
    if (Buffer.compare(stored.fields, encodeFields(fields.get(level) ?? {})) !== 0) {
      note(`level ${level} is not what the profile says`)
    }
  }
  for (const level of fields.keys()) if (!seen.has(level)) note(`level ${level} is missing`)
  for (const level of Object.keys(record.levels)) if (!seen.has(Number(level))) note(`level ${level} is not stored`)
  profile.destroy()
  return parts
}
