import { KithError } from '@kith/shared'
import { type Clock, systemClock } from '../clock.ts'
import type { DeviceDatabase, DeviceStorage, Tables } from '../database/contract.ts'
import { readMeta } from '../database/meta.ts'
import { expectKnown, schemaNumber, schemaRow } from '../database/schema.ts'
import { SqliteDatabase, type TablesOf } from './database.ts'
import type { SqliteDriver } from './driver.ts'
import { fileName } from './file-name.ts'
import { deviceShapes, registerShapes } from './shapes.ts'

/** How long to wait for the register of devices while other processes use it. They need only milliseconds. */
const registerWaitMs = 5_000
const registerRetryMs = 20

/**
 * Returns storage on the SQLite of `driver`, for `openKith({ storage })`: on React Native, on SQLite in WebAssembly, or on
 * another binding in Node. There is one file per device, and one for the register of devices.
 */
export function sqliteOn(driver: SqliteDriver): DeviceStorage {
  let last: Promise<unknown> = Promise.resolve()
  return {
    database: (name, populate) => deviceDatabase(driver, name, populate),
    register(mode, body) {
      const result = last.then(() => whileBusy(systemClock, () => withRegister(driver, db => db.transact(mode, body))))
      last = result.catch(() => undefined)
      return result
    },
  }
}

/** Repeats work as long as another process has locked the file. */
async function whileBusy<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  for (const started = clock.elapsed(); ; await pause(clock)) {
    try {
      return await work()
    } catch (error) {
      const isBusy = error instanceof KithError && error.code === 'database-in-use'
      if (!isBusy || clock.elapsed() - started > registerWaitMs) throw error
    }
  }
}

type Register = SqliteDatabase<typeof registerShapes>

async function withRegister<T>(driver: SqliteDriver, use: (db: Register) => Promise<T>): Promise<T> {
  const name = 'kith-visits'
  const db: Register = new SqliteDatabase(name, {
    ...{ driver, file: fileName(name), shapes: registerShapes, isExclusive: false },
  })
  try {
    await db.open()
    return await use(db)
  } finally {
    await db.close()
  }
}

function pause(clock: Clock): Promise<void> {
  return new Promise(resolve => void clock.after(registerRetryMs, resolve))
}

function deviceDatabase(
  driver: SqliteDriver,
  name: string,
  populate: Parameters<DeviceStorage['database']>[1],
): DeviceDatabase {
  const db = new SqliteDatabase(name, {
    ...{ driver, file: fileName(name), shapes: deviceShapes, isExclusive: true },
    populate: made => populate?.(asTables(made)),
    migrate: found => migrateRows(name, asTables(found)),
  })
  return {
    ...asTables(db.tables()),
    name,
    open: () => db.open(),
    isOpen: () => db.isOpen(),
    close: () => db.close(),
    delete: () => db.delete(),
    onClose: () => undefined, // Only this client closes it.
    transact: (mode, body) => db.transact(mode, tables => body(asTables(tables))),
    live: (query, observer) => db.live(tables => query(asTables(tables)), observer),
  }
}

/**
 * Raises the schema of a file that an earlier version wrote. No schema has changed rows of these tables yet: a later one
 * changes its rows here, and keeps the outbox.
 */
async function migrateRows(name: string, tables: Tables): Promise<void> {
  const found = (await readMeta(tables, 'schema')) ?? 0
  expectKnown(name, found)
  if (found < schemaNumber) await tables.meta.put(schemaRow)
}

function asTables(tables: TablesOf<typeof deviceShapes>): Tables {
  return { ...tables, tables: Object.values(tables) }
}
