/**
 * What Kith needs of an SQLite binding: five methods, which fit better-sqlite3, expo-sqlite, op-sqlite and sql.js. Each may
 * return its result or a promise of it. Errors are those of the binding; Kith recognises them by SQLite's own texts and codes.
 */
export interface SqliteDriver {
  /**
   * Opens the database file of this name, and creates an empty one if there is none. The name is valid in every file system.
   *
   * @param name - The name of the file, without a folder.
   * @returns The connection, or a promise of it.
   */
  open(name: string): SqliteConnection | PromiseLike<SqliteConnection>
  /**
   * Deletes the file of this name, and its `-wal`, `-shm` and `-journal`. No connection to it is open. The files may be absent.
   *
   * @param name - The name of the file.
   * @returns Nothing, or a promise that resolves when the file is gone.
   */
  remove(name: string): unknown
}

/** One connection to one database file. Its methods are called one after the other. */
export interface SqliteConnection {
  /**
   * Executes one statement, with values for its question marks, and ignores rows that it returns.
   *
   * @param sql - The statement.
   * @param values - The values, in the order of the question marks.
   * @returns Nothing, or a promise that resolves when the statement has been executed.
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
   * Closes the connection. Resolves when nothing of it is open.
   *
   * @returns Nothing, or a promise.
   */
  close(): unknown
}

/** A value for a question mark. */
export type SqliteValue = string | number | Uint8Array | null
/** A row that a statement returned, by column. */
export type SqliteRow = Record<string, unknown>
