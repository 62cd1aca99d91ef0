import { KithError, namedUsers } from '@kith/shared'
import type { Clock, Randomness } from '../clock.ts'
import type { DeviceDatabase, DeviceStorage, Tables } from '../database/contract.ts'
import { readMeta, writeMeta } from '../database/meta.ts'
import { OwnDocuments } from '../database/own-documents.ts'
import { People } from '../database/people.ts'
import type { OutboxRow } from '../database/schema.ts'
import { newNonce } from '../nonce.ts'
import { layOver } from './lay-over.ts'
import { DatabaseLost } from './loss.ts'
import { fillFromMemory } from './new-database.ts'
import { type Erasure, erasureOf } from './registry.ts'

/** The place of this device's database, and its user. */
export interface DatabasePlace {
  readonly user: string
  readonly name: string
  /** The platform's storage, or the one that the app passed instead. */
  readonly storage: DeviceStorage
  readonly clock: Clock
  readonly randomness: Randomness
}

export interface Recovered {
  db: DeviceDatabase
  documents: OwnDocuments
  /** Whether it is another database than the one that memory was read from. */
  isAnother: boolean
}

/**
 * Opens the database again after the connection to it has ended. If it is gone or replaced, the data in memory is saved in the
 * new one, whether this tab or another one created it. Rejects with `closed` or `account-erased` when any tab has erased this
 * device, and with `wrong-user` when the new database is another user's.
 */
export async function recover(place: DatabasePlace, memory: OwnDocuments): Promise<Recovered> {
  const { user, name, storage, clock, randomness } = place
  const same = await openSame(place, memory.writer)
  if (same) return { db: same, documents: await loadFrom(same), isAnother: false }
  const erasure = await erasureOf(storage, memory.device)
  if (erasure) throw erased(erasure)
  const identity = { user, writer: newNonce(randomness), device: memory.device }
  const fill = (made: Tables): Promise<unknown> => fillFromMemory(made, memory, identity, randomness, clock)
  const db = storage.database(name, made => {
    const filling = fill(made)
    filling.catch(() => undefined) // Then the database is not created, and opening it reports the error.
    return filling
  })
  try {
    await db.open()
    await db.transact('rw', async tables => {
      const found = await readMeta(tables, 'identity')
      if (found?.writer === identity.writer) return
      if (found && found.user !== user)
        throw new KithError('wrong-user', `The database ${name} is ${found.user}'s by now`)
      if (found) return merge(tables, memory, randomness)
      for (const table of tables.tables) await table.clear()
      await fill(tables)
    })
    return { db, documents: await loadFrom(db), isAnother: true }
  } catch (error) {
    await db.close()
    throw error
  }
}

/** The last error of a client whose device was erased. */
export function erased(why: Erasure): KithError {
  const message =
    why === 'account-erased'
      ? 'The account was erased, and this device has deleted what it held of it: open it again to begin a new account'
      : 'This device was erased'
  return new KithError(why, message)
}

/** Returns the open database, if it still has this writer. */
async function openSame({ name, storage }: DatabasePlace, writer: string): Promise<DeviceDatabase | undefined> {
  let isGone = false
  const db = storage.database(name, () => {
    isGone = true
    throw new DatabaseLost()
  })
  try {
    await db.open()
    if ((await readMeta(db, 'identity'))?.writer === writer) return db
    await db.close()
    return undefined
  } catch (error) {
    await db.close()
    if (isGone) return undefined
    throw error
  }
}

/** Loads the own documents of an open database. */
export function loadFrom(db: DeviceDatabase): PromiseLike<OwnDocuments> {
  return db.transact('r', tables => OwnDocuments.load(tables))
}

/** Lays the data in memory over that of the database; data that is already there changes nothing. */
async function merge(db: Tables, memory: OwnDocuments, randomness: Randomness): Promise<void> {
  const there = await OwnDocuments.load(db)
  // The server must say whether the data in memory belongs to an erased account [D7].
  if (memory.incarnation) await writeMeta(db, 'incarnation', memory.incarnation)
  const known = new Set(await db.outbox.toCollection().primaryKeys())
  const [rows, begun]: [OutboxRow[], OutboxRow[]] = [[], []]
  for (const row of memory.unsent) {
    if (row.seq === undefined) begun.push(row)
    else if (!known.has(row.seq)) rows.push(row)
  }
  await db.outbox.bulkPut(rows)
  await db.outbox.bulkAdd(begun)
  await layOver(db, there, memory, randomness)
  // Rows were inserted between others, so every tab loads the documents again.
  await there.writeSnapshots(db, there, there.generation + 1)
  const people = new People(db)
  const ids = [...(await db.people.toCollection().primaryKeys()), ...namedUsers(there.roster.view)]
  await people.load(ids)
  people.setFacts(there.roster.view, ids)
  await people.store()
}
