import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { SqliteDriver, SqliteRow } from '@kith/client/sqlite-driver'
import Sqlite, { type Database } from 'better-sqlite3'
import initSqlJs from 'sql.js'

/** SQLite in WebAssembly, with files in memory that are written when a connection closes. */
export async function sqlJsDriver(): Promise<SqliteDriver> {
  const { Database } = await initSqlJs()
  const files = new Map<string, Uint8Array>()
  return {
    open(name) {
      const db = new Database(files.get(name))
      return {
        run: (sql, values) => void db.run(sql, [...values]),
        all(sql, values) {
          const statement = db.prepare(sql, [...values])
          const rows: SqliteRow[] = []
          while (statement.step()) rows.push(statement.getAsObject())
          statement.free()
          return rows
        },
        close() {
          files.set(name, db.export())
          db.close()
        },
      }
    },
    remove: name => files.delete(name),
  }
}

/**
 * The part of expo-sqlite that the guide to React Native uses, on better-sqlite3. Each call takes its own turn of the event
 * loop.
 */
export function expoSqliteIn(folder: string): ExpoSqlite {
  return {
    async openDatabaseAsync(name) {
      await turn()
      const db = new Sqlite(join(folder, name), { timeout: 0 })
      return {
        async runAsync(sql, values) {
          await turn()
          rowsOf(db, sql, values)
        },
        async getAllAsync(sql, values) {
          await turn()
          return rowsOf(db, sql, values)
        },
        async closeAsync() {
          await turn()
          db.close()
        },
      }
    },
    async deleteDatabaseAsync(name) {
      await turn()
      if (!existsSync(join(folder, name))) throw new Error(`Database not found: ${name}`)
      rmSync(join(folder, name))
    },
  }
}

export interface ExpoSqlite {
  openDatabaseAsync(
    name: string,
    options?: { useNewConnection?: boolean },
  ): Promise<{
    runAsync(sql: string, values: unknown[]): Promise<unknown>
    getAllAsync(sql: string, values: unknown[]): Promise<SqliteRow[]>
    closeAsync(): Promise<void>
  }>
  deleteDatabaseAsync(name: string): Promise<void>
}

/** The part of op-sqlite that the guide uses, on better-sqlite3. Blobs are returned as an ArrayBuffer. */
export function opSqliteIn(folder: string): OpSqlite {
  return {
    open({ name }) {
      const path = join(folder, name)
      const db = new Sqlite(path, { timeout: 0 })
      return {
        async execute(sql, values = []) {
          await turn()
          return { rows: rowsOf(db, sql, values).map(withBuffers) }
        },
        close: () => void db.close(),
        delete() {
          db.close()
          rmSync(path)
        },
      }
    },
  }
}

export interface OpSqlite {
  open(options: { name: string }): {
    execute(sql: string, values?: unknown[]): Promise<{ rows: SqliteRow[] }>
    close(): void
    delete(): void
  }
}

function rowsOf(db: Database, sql: string, values: unknown[]): SqliteRow[] {
  const statement = db.prepare<unknown[], SqliteRow>(sql)
  if (statement.reader) return statement.all(...values)
  statement.run(...values)
  return []
}

function withBuffers(row: SqliteRow): SqliteRow {
  const value = (of: unknown): unknown => (of instanceof Uint8Array ? new Uint8Array(of).buffer : of)
  return Object.fromEntries(Object.entries(row).map(([name, of]) => [name, value(of)]))
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
