import type { WebSocketConstructor } from '../sync/socket.ts'
import type { QueryObserver } from './query-observer.ts'
import type { MetaRow, OutboxRow, PersonRow, ReplicaRow, SnapshotRow, UpdateRow } from './schema.ts'

/**
 * The storage that a device needs. There are two implementations: Dexie on IndexedDB (`dexie-storage.ts`), and SQLite
 * (`sqlite/`). `test/client/storage-contract.test.ts` tests each sentence of this contract for both. The methods are a subset
 * of Dexie's.
 */
export interface DeviceStorage {
  /**
   * Returns the database of this name; nothing is opened yet. If opening creates the database, `populate` fills it in the same
   * transaction. `populate` makes all its writes synchronously. If it throws, no database is created.
   *
   * @param name - The name of the database; storage may derive a file name from it.
   */
  database(name: string, populate?: (made: Tables) => PromiseLike<unknown> | undefined): DeviceDatabase
  /**
   * Runs `body` in one transaction of the storage's register of devices, which outlives each database.
   *
   * @param mode - Whether it writes.
   * @returns Resolves to the result of `body`, when its writes are on the disk.
   * @throws KithError `database-failed`, or the error of `body`; nothing was then written.
   */
  register<T>(mode: Mode, body: (tables: RegisterTables) => Promise<T>): Promise<T>
  /**
   * The WebSocket class of this storage's platform, where it is not a global.
   *
   * @returns Resolves to the class, or to `undefined` if there is none. Never rejects.
   */
  findWebSocket?(): Promise<WebSocketConstructor | undefined>
}

/** The database of one device. An object is used once: after closing, it is not opened again. */
export interface DeviceDatabase extends Tables {
  readonly name: string
  /**
   * Creates the database if there is none. Rejects with a `KithError`: `database-in-use` when another process has it open and
   * cannot share it, `database-newer` when a later version of Kith wrote it, `database-failed` when it cannot be read.
   */
  open(): PromiseLike<unknown>
  isOpen(): boolean
  /** Running operations reject, and change nothing. Resolves when another object may open the database. */
  close(): PromiseLike<unknown> | undefined
  /** Deletes the database, whether closed or not; there may be none. */
  delete(): PromiseLike<unknown>
  /** Calls `listener` when the database is no longer open. */
  onClose(listener: () => void): void
  /**
   * Runs `body` on a state of all tables that nothing else changes meanwhile. When this resolves, everything that it wrote is
   * on the disk [D1]; if this rejects, nothing of it is ever on the disk. `body` awaits only the tables that it receives.
   */
  transact<T>(mode: Mode, body: (tables: Tables) => Promise<T>): PromiseLike<T>
  /**
   * Passes the result of a query to `observer` soon, and again after each commit that may have changed it. After an error,
   * it may pass nothing more until it is called again. Returns a function that stops it.
   */
  live<T>(query: (tables: Tables) => Promise<T>, observer: QueryObserver<T>): () => void
}

/** `r`: read-only. */
export type Mode = 'r' | 'rw'

/**
 * The tables of `schema.ts`. On the tables of a database, each call is a transaction of its own, and waits for the running one.
 * So a transaction uses only the tables that it receives.
 */
export interface Tables {
  readonly updates: Table<UpdateRow, number>
  readonly snapshots: Table<SnapshotRow, string>
  readonly outbox: Table<OutboxRow, number>
  readonly replicas: Table<ReplicaRow, string>
  readonly people: Table<PersonRow, string>
  readonly meta: Table<MetaRow, string>
  /** All tables. */
  readonly tables: readonly Pick<Table<unknown, unknown>, 'clear' | 'toArray'>[]
}

interface RegisterTables {
  readonly visits: Table<VisitRow, string>
  readonly erased: Table<ErasedRow, string>
}

/** The last user of this device, by the server's url. */
export interface VisitRow {
  url: string
  user: string
}

/** A device that was erased, by the name of its first writer. */
export interface ErasedRow {
  writer: string
  why?: 'closed' | 'account-erased'
}

/**
 * Rows by key, which is a property of the row. A row is returned as it was put: numbers, strings, booleans, `undefined`, bytes,
 * arrays, plain objects, Maps and Sets. Numbers are ordered; no order of strings is promised.
 */
export interface Table<Row, Key> {
  get(key: Key): PromiseLike<Row | undefined>
  /** In the order of the keys, with `undefined` for absent rows. */
  bulkGet(keys: Key[]): PromiseLike<(Row | undefined)[]>
  toArray(): PromiseLike<Row[]>
  count(): PromiseLike<number>
  /** Replaces the row of this key, or adds one. */
  put(row: Row): PromiseLike<Key>
  bulkPut(rows: readonly Row[]): PromiseLike<unknown>
  /** Adds a row without a key under a number above all earlier numbers of the table. Resolves to the number. */
  add(row: Row): PromiseLike<Key>
  bulkAdd(rows: readonly Row[]): PromiseLike<unknown>
  delete(key: Key): PromiseLike<unknown>
  bulkDelete(keys: Key[]): PromiseLike<unknown>
  clear(): PromiseLike<unknown>
  /** All rows, ordered by key. */
  toCollection(): Selection<Row, Key>
  /** Rows by `:id` (their key) or by the indexed column of the table. */
  where(index: string): Where<Row, Key>
}

export interface Where<Row, Key> {
  equals(value: number): Selection<Row, Key>
  above(value: number): Selection<Row, Key>
  below(value: number): Selection<Row, Key>
  belowOrEqual(value: number): Selection<Row, Key>
}

/** Rows, ordered by key. Nothing is read before one of the last five methods is called. */
export interface Selection<Row, Key> {
  filter(isMeant: (row: Row) => boolean): Selection<Row, Key>
  limit(count: number): Selection<Row, Key>
  toArray(): PromiseLike<Row[]>
  first(): PromiseLike<Row | undefined>
  last(): PromiseLike<Row | undefined>
  primaryKeys(): PromiseLike<Key[]>
  delete(): PromiseLike<unknown>
}
