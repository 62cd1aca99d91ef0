/**
 * What Kith needs of an SQLite: five methods, which fit better-sqlite3, expo-sqlite, op-sqlite and sql.js. Each may return its
 * result or a promise of it. Errors are those of the SQLite itself; Kith knows them by SQLite's own texts and codes.
 */
export interface SqliteDriver {
  /**
   * Opens the database file of this name, and makes an empty one if there is none. The name fits every file system.
   *
   * @param name - The name of the file, without a folder.
   * @returns The connection, or a promise of it.
   */
  open(name: string): SqliteConnection | PromiseLike<SqliteConnection>
  /**
   * Deletes the file of this name, and its `-wal`, `-shm` and `-journal`. No connection to it is open. There may be none.
   *
   * @param name - The name of the file.
   * @returns Nothing, or a promise that resolves when the file is gone.
   */
  remove(name: string): unknown
}

/** One connection to one database file. Its calls are made one after the other. */
export interface SqliteConnection {
  /**
   * Executes one statement, with values for its question marks, and ignores the rows that it may return.
   *
   * @param sql - The statement.
   * @param values - The values, in the order of the question marks.
   * @returns Nothing, or a promise that resolves when the statement was executed.
   */
  run(sql: string, values: readonly SqliteValue[]): unknown
  /**
   * Executes one statement and returns its rows as objects by column. Blobs are a `Uint8Array` or an `ArrayBuffer`.
   *
   * @param sql - The statement.
   * @param values - The values, in the order of the question marks.
   */
  all(sql: string, values: readonly SqliteValue[]): SqliteRow[] | PromiseLike<SqliteRow[]>
  /**
   * Resolves when nothing of it is open.
   *
   * @returns Nothing, or a promise.
   */
  close(): unknown
}

/** A value that is passed for a question mark. */
export type SqliteValue = string | number | Uint8Array | null
/** A row that a statement returned, by column. */
export type SqliteRow = Record<string, unknown>
