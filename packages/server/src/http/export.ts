import { contactFacts, flatMapsOf, namedUsers, rosterSettings } from '@kith/shared'
import type * as Y from 'yjs'
import { StoredDocument } from '../documents/stored-document.ts'
import type { UserRecord } from '../relations/records.ts'
import type { Context } from '../socket/context.ts'
import { pairsOf } from './pairs.ts'

/**
 * All of a user's own data: what the user wrote, and what the backend says of the user. Not what others say of the user: that is
 * theirs. The roster is loaded as a whole, which takes some 200 ms for one of 10,000 contacts.
 */
export async function exportOf(
  { store, clock }: Pick<Context, 'store' | 'clock'>,
  user: string,
  { restricted, announceJoin }: UserRecord,
  profile: object,
): Promise<object> {
  const roster = new StoredDocument('roster', (await store.document(user, 'roster')).parts)
  try {
    return {
      format: 'kith-account-1',
      user,
      exportedAt: new Date(clock.now()).toISOString(),
      profile,
      roster: rosterOf(roster.doc),
      account: { restricted, announceJoin, pairs: await pairsOf(store, user) },
    }
  } finally {
    roster.destroy()
  }
}

function rosterOf(doc: Y.Doc): object {
  const view = flatMapsOf(doc)
  const labels = new Map(view.entries('labels'))
  const settings = new Map(view.entries('settings'))
  const users = [...new Set([...namedUsers(view), ...labels.keys()])].sort()
  const contacts = [...contactFacts(view, users)].map(([id, { confirmed: _, ...facts }]) => ({
    id,
    ...(labels.has(id) && { label: labels.get(id) }),
    ...facts,
  }))
  return { contacts, ...rosterSettings(view), settings: Object.fromEntries(settings) }
}
