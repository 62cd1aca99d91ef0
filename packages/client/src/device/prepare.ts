import { type ContactFacts, contactFacts, countingFacts, KithError } from '@kith/shared'
import type { Clock, Randomness } from '../clock.ts'
import { type KithDatabase, readMeta } from '../database/schema.ts'
import type { Store } from '../database/store.ts'
import { setUp } from './new-database.ts'

/**
 * Makes a new database ready, or checks that an existing one is this user's. A database whose deletion was interrupted is
 * emptied first.
 */
export async function prepareDevice(
  db: KithDatabase,
  user: string,
  randomness: Randomness,
  clock: Clock,
  erasureOf: (device: string) => Promise<unknown>,
): Promise<void> {
  const found = await readMeta(db, 'identity')
  const isErased = found !== undefined && (await erasureOf(found.device ?? found.writer)) !== undefined
  await db.transaction('rw', db.tables, async () => {
    const identity = await readMeta(db, 'identity')
    const isCutShort = isErased && identity?.writer === found.writer
    if (isCutShort) for (const table of db.tables) await table.clear()
    if (!identity || isCutShort) return setUp(db, user, randomness, clock)
    if (identity.user !== user) throw new KithError('wrong-user', `The database ${db.name} is ${identity.user}'s`)
    return undefined
  })
  db.begin = undefined
}

/** Owners whose replicas end with the session, as far as the server knew. */
export async function fetchedOwners(db: KithDatabase): Promise<string[]> {
  return db.replicas.where('isFetched').equals(1).primaryKeys()
}

/** Drops the replicas of those whom the app merely looked at, and has not followed since: they live for a session [V7]. */
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
