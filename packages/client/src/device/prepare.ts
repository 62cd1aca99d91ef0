import { KithError } from '@kith/shared'
import { type KithDatabase, readMeta } from '../database/schema.ts'
import { setUp } from './new-database.ts'
import type { DatabasePlace } from './recover.ts'
import { erasureOf } from './registry.ts'

/**
 * Opens the database. Makes a new one ready, or checks that an existing one is this user's. A database whose deletion was
 * interrupted is emptied first.
 */
export async function prepareDevice(
  db: KithDatabase,
  { user, storage, randomness, clock }: DatabasePlace,
): Promise<void> {
  await db.open()
  const found = await readMeta(db, 'identity')
  const isErased = found !== undefined && (await erasureOf(storage, found.device ?? found.writer)) !== undefined
  await db.transaction('rw', db.tables, async () => {
    const identity = await readMeta(db, 'identity')
    const isCutShort = isErased && identity?.writer === found.writer
    if (isCutShort) for (const table of db.tables) await table.clear()
    if (!identity || isCutShort) return setUp(db, user, randomness, clock)
    if (identity.user !== user) throw new KithError('wrong-user', `The database ${db.name} is ${identity.user}'s`)
    return undefined
  })
}
