import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { KithError } from '@kith/shared'
import type { Database, Statement } from 'better-sqlite3'
import type { SqliteConnection, SqliteDriver, SqliteRow, SqliteValue } from './driver.ts'

/** The number of statements after which the event loop gets a turn: the statements are synchronous. */
const statementsPerTurn = 50

/** Database files in a folder, with better-sqlite3, which is loaded at the first use. Only the owner may read the files. */
export function betterSqlite3(folder: string): SqliteDriver {
  const place = resolve(folder) // Resolved now: the process may change its folder later.
  return {
    async open(name) {
      const Sqlite = await load()
      mkdirSync(place, { recursive: true, mode: 0o700 })
      const path = join(place, name)
      if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600)) // SQLite gives its other files the same mode.
      return connection(new Sqlite(path, { timeout: 0 }))
    },
    remove(name) {
      for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(join(place, name + ending), { force: true })
    },
  }
}

function connection(db: Database): SqliteConnection {
  const statements = new Map<string, Statement<unknown[]>>()
  const prepared = (sql: string): Statement<unknown[]> => {
    const statement = statements.get(sql) ?? db.prepare<unknown[]>(sql)
    statements.set(sql, statement)
    return statement
  }
  let left = statementsPerTurn
  const execute = async (sql: string, values: readonly SqliteValue[]): Promise<SqliteRow[]> => {
    const statement = prepared(sql)
    const rows = statement.reader ? (statement.all(...values) as SqliteRow[]) : []
    if (!statement.reader) statement.run(...values)
    left--
    if (left > 0 && sql !== 'COMMIT') return rows
    left = statementsPerTurn
    await new Promise(resolve => setImmediate(resolve))
    return rows
  }
  return {
    run: execute,
    all: execute,
    close: () => void db.close(),
  }
}

async function load(): Promise<typeof import('better-sqlite3')> {
  try {
    return (await import('better-sqlite3')).default
  } catch (cause) {
    const message = 'The package better-sqlite3 cannot be loaded: install it beside @kith/client, version 12 or newer'
    throw new KithError('database-failed', message, { cause })
  }
}
