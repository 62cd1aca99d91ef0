import type { DeviceDatabase, Tables } from '../database/contract.ts'
import { readMeta, writeMeta } from '../database/meta.ts'

/** Stores whether the app wants to be connected, for the next tab that has the socket. The last wish counts. */
export async function storeWish(db: DeviceDatabase, isWanted: boolean): Promise<void> {
  await db.transact('rw', async db => writeMeta(db, 'isWanted', isWanted))
}

/** A database that does not know yet whether the app wants to be connected learns it from the tab that has the socket. */
export async function noteWish(db: DeviceDatabase, isWanted: boolean): Promise<void> {
  await db.transact('rw', async db => {
    if ((await readMeta(db, 'isWanted')) === undefined) await writeMeta(db, 'isWanted', isWanted)
  })
}

/** Whether the app wants to be connected. */
export async function readWish(db: Tables): Promise<boolean> {
  return (await readMeta(db, 'isWanted')) ?? false
}

/** A tab takes over in this term. Resolves to whether the app wants to be connected. */
export async function beginTerm(db: DeviceDatabase, term: string): Promise<boolean> {
  return db.transact('rw', async db => {
    await writeMeta(db, 'term', term)
    return readWish(db)
  })
}

/** Whether no other tab has taken over since this term began. */
export async function isCurrent(db: Tables, term: string): Promise<boolean> {
  const current = await readMeta(db, 'term')
  return current === undefined || current === term // A new database has no term yet.
}
