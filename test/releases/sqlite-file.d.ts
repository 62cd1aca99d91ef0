/** A device's file of SQLite, as values. */
export interface SqliteDump {
  file: string
  layout: number
  statements: string[]
  tables: Record<string, object[]>
}

export function dumpSqlite(folder: string): SqliteDump
export function restoreSqlite(folder: string, dump: SqliteDump): void
