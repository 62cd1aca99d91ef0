import { KithError } from '@kith/shared'
import type { DeviceDatabase } from '../database/contract.ts'
import { readMeta } from '../database/meta.ts'
import { setUp } from './new-database.ts'
import type { DatabasePlace } from './recover.ts'
import { erasureOf } from './registry.ts'

/**
 * Opens the database. Sets up a new one, or checks that an existing one is this user's. A database whose deletion was
 * interrupted is emptied first.
 */
export async function prepareDevice(
  db: DeviceDatabase,
  { user, storage, randomness, clock }: DatabasePlace,
): Promise<void> {
  await db.open()
  const found = await readMeta(db, 'identity')
  const isErased = found !== undefined && (await erasureOf(storage, found.device ?? found.writer)) !== undefined
  await db.transact('rw', async tables => {
    const identity = await readMeta(tables, 'identity')
    const isCutShort = isErased && identity?.writer === found.writer
    if (isCutShort) for (const table of tables.tables) await table.clear()
    if (!identity || isCutShort) return setUp(tables, user, randomness, clock)
    if (identity.user !== user) throw new KithError('wrong-user', `The database ${db.name} is ${identity.user}'s`)
    return undefined
  })
}
