import { type ContactFacts, contactFacts } from '@kith/shared'
import { readMeta } from './meta.ts'
import type { Store } from './store.ts'

/**
 * Owners whose replicas this device dropped on its own and who are admitted again, each with the number of the drop. They are
 * to be fetched from the server.
 */
export async function droppedAndWanted(store: Store): Promise<(readonly [owner: string, drop: number])[]> {
  const drops = (await store.use(db => readMeta(db, 'dropped')))?.owners
  if (!drops?.size) return []
  const facts = contactFacts(store.documents.roster.view, drops.keys())
  return [...drops].filter(([id]) => {
    const { isBlocked, isSubscribed, isDeclined } = facts.get(id) as ContactFacts
    return !isBlocked && (isSubscribed || !isDeclined)
  })
}
