import { type ContactFacts, contactFacts, countingFacts } from '@kith/shared'
import type { Tables } from './contract.ts'
import type { Store } from './store.ts'

/** Owners whose replicas end with the session, as far as the server knew. */
export async function fetchedOwners(db: Tables): Promise<string[]> {
  return db.replicas.where('isFetched').equals(1).primaryKeys()
}

/** Drops the replicas of owners who were only fetched, and not followed since: these last for a session [V7]. */
export async function dropFetched(store: Store): Promise<void> {
  await store.work(async ({ db, people, documents }) => {
    const facts = contactFacts(documents.roster.view, await fetchedOwners(db))
    const isFollowed = (id: string, own: ContactFacts): boolean =>
      countingFacts(own, documents.hands.get(id)?.incarnation ?? '').isSubscribed
    const ids = [...facts].filter(([id, own]) => !isFollowed(id, own)).map(([id]) => id)
    await people.load(ids)
    for (const id of ids) {
      people.setAccess(id, [], false)
      people.setFetched(id, false)
    }
  })
}
