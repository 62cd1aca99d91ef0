import { KithError } from '@kith/shared'
import type { Randomness } from '../clock.ts'
import { type KithDatabase, readMeta } from './database.ts'
import { setUp } from './own-documents.ts'
import type { Store } from './store.ts'

/** Makes a new database ready, or sees that an old one is this user's; what was merely fetched ends here [V7]. */
export async function prepareDevice(db: KithDatabase, user: string, randomness: Randomness): Promise<void> {
  await db.transaction('rw', db.tables, async () => {
    const identity = await readMeta(db, 'identity')
    if (!identity) return setUp(db, user, randomness)
    if (identity.user !== user) throw new KithError('wrong-user', `The database ${db.name} is ${identity.user}'s`)
    return undefined
  })
}

/** Drops the replicas of those whom the app merely looked at: they live for a session [V7]. */
export async function dropFetched(store: Store): Promise<void> {
  await store.work(async ({ db, people }) => {
    const fetched = await db.replicas.filter(replica => replica.isFetched).toArray()
    const ids = fetched.map(replica => replica.owner)
    await people.load(ids)
    for (const id of ids) {
      people.setAccess(id, [], false)
      people.setFetched(id, false)
    }
  })
}
