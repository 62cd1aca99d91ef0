import { KithError, namedUsers } from '@kith/shared'
import type { Clock, Randomness } from '../clock.ts'
import { OwnDocuments } from '../database/own-documents.ts'
import { People } from '../database/people.ts'
import { type KithDatabase, type MetaValues, type OutboxRow, readMeta, writeMeta } from '../database/schema.ts'
import { newNonce } from '../nonce.ts'
import { layOver } from './lay-over.ts'
import { fillFromMemory } from './new-database.ts'
import type { Erasure } from './registry.ts'

/** What a store needs of the client that it belongs to, should its database go away under it. */
export interface SurvivalPort {
  readonly user: string
  readonly clock: Clock
  readonly randomness: Randomness
  /** Why that device was erased, by any tab; `undefined` if it was not. Nothing of an erased device is restored. */
  erasureOf(device: string): Promise<Erasure | undefined>
  /** The connection to the database has ended, and this client has not closed it. */
  interrupted(): void
  /** What memory had stands in a new database. */
  restored(): void
  /** There is nothing more to be done with this client. */
  ended(error: KithError): void
  failed(error: unknown): unknown
}

/**
 * After the connection to the database has ended, or another database stands there: goes on if it is still the same.
 * Otherwise what memory holds comes to be in the new one, whether this tab makes that, another tab did, or it was opened
 * again meanwhile; `true` then. Rejects with `closed` when it was erased, and with `wrong-user` when it is another user's.
 */
export async function survive(db: KithDatabase, memory: OwnDocuments, port: SurvivalPort): Promise<boolean> {
  if ((await identityThere(db))?.writer === memory.writer) return false
  const erasure = await port.erasureOf(memory.device)
  if (erasure) throw erased(erasure)
  const { user, randomness, clock } = port
  const identity = { user, writer: newNonce(randomness), device: memory.device }
  const fill = (): Promise<unknown> => fillFromMemory(db, memory, identity, randomness, clock)
  db.begin = () => {
    fill().catch(() => undefined) // Then the database is not made, and opening it says why.
  }
  try {
    await db.open()
  } finally {
    db.begin = undefined
  }
  await db.transaction('rw', db.tables, async () => {
    const found = await readMeta(db, 'identity')
    if (found?.writer === identity.writer) return
    if (found && found.user !== user) {
      throw new KithError('wrong-user', `The database ${db.name} is ${found.user}'s by now`)
    }
    if (found) return merge(db, memory, randomness)
    for (const table of db.tables) await table.clear()
    await fill()
  })
  return true
}

/** The last error of a client whose device was erased. */
export function erased(why: Erasure): KithError {
  const message =
    why === 'account-erased'
      ? 'The account was erased, and this device has deleted what it held of it: open it again to begin a new account'
      : 'This device was erased'
  return new KithError(why, message)
}

async function identityThere(db: KithDatabase): Promise<MetaValues['identity'] | undefined> {
  try {
    await db.open()
    return await readMeta(db, 'identity')
  } catch (error) {
    if (db.isGone) return undefined
    throw error
  } finally {
    db.isGone = false
  }
}

/** Lays what memory holds over what is there: all that is there already changes nothing. */
async function merge(db: KithDatabase, memory: OwnDocuments, randomness: Randomness): Promise<void> {
  const there = await OwnDocuments.load(db)
  // The server is to say whether what memory holds belongs to an account that was erased [D7].
  if (memory.incarnation) await writeMeta(db, 'incarnation', memory.incarnation)
  await layOver(db, there, memory, randomness)
  const known = new Set(await db.outbox.toCollection().primaryKeys())
  const [rows, begun]: [OutboxRow[], OutboxRow[]] = [[], []]
  for (const row of memory.unsent) {
    if (row.seq === undefined) begun.push(row)
    else if (!known.has(row.seq)) rows.push(row)
  }
  await db.outbox.bulkPut(rows)
  await db.outbox.bulkAdd(begun)
  // Rows were inserted between others, so every tab loads the documents again.
  await there.writeSnapshots(db, there, there.generation + 1)
  const people = new People(db)
  const ids = [...(await db.people.toCollection().primaryKeys()), ...namedUsers(there.roster.view)]
  await people.load(ids)
  people.setFacts(there.roster.view, ids)
  await people.store()
}
