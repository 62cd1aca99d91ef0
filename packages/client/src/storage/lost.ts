import { contactFacts } from '@kith/shared'
import { readMeta } from './database.ts'
import type { Store } from './store.ts'

/** Owners whose replicas this device dropped on its own and who are let in again: the server is to be asked for them. */
export async function lostAndWanted(store: Store): Promise<string[]> {
  const lost = (await readMeta(store.db, 'lost')) ?? []
  if (lost.length === 0) return []
  const facts = contactFacts(store.documents.roster.view, lost)
  return lost.filter(id => {
    const { isBlocked = false, isSubscribed = false, isDeclined = false } = facts.get(id) ?? {}
    return !isBlocked && (isSubscribed || !isDeclined)
  })
}
