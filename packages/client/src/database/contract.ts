import type { WebSocketConstructor } from '../sync/socket.ts'
import type { QueryObserver } from './query-observer.ts'
import type { MetaRow, OutboxRow, PersonRow, ReplicaRow, SnapshotRow, UpdateRow } from './schema.ts'

/**
 * What a device needs of its storage. Two implementations keep to it, and `test/client/storage-contract.test.ts` holds both
 * to each sentence: Dexie on IndexedDB (`dexie-storage.ts`), and SQLite (`sqlite/`). The verbs are a part of Dexie's own.
 */
export interface DeviceStorage {
  /**
   * Returns the database of this name; nothing is opened yet. `populate` fills a database that opening has to make, in one
   * with making it. It calls all that it writes at once. If it throws, none is made.
   *
   * @param name - The name of the database; storage may make a file name of it.
   */
  database(name: string, populate?: (made: Tables) => PromiseLike<unknown> | undefined): DeviceDatabase
  /**
   * Runs `body` in one transaction of the storage's register of devices, which outlives each database.
   *
   * @param mode - Whether it writes.
   * @returns Resolves to what `body` resolved to, when it is on the disk.
   * @throws KithError `database-failed`, or the error of `body`; nothing was written then.
   */
  register<T>(mode: Mode, body: (tables: RegisterTables) => Promise<T>): Promise<T>
  /**
   * The WebSocket class that this storage's platform has, where that must be looked for.
   *
   * @returns Resolves to the class, or to `undefined` if there is none. Never rejects.
   */
  findWebSocket?(): Promise<WebSocketConstructor | undefined>
}

/** Of one device. Objects are used once: what was closed is not opened again. */
export interface DeviceDatabase extends Tables {
  readonly name: string
  /**
   * Makes the database if there is none. Rejects with a `KithError`: `database-in-use` when another process has it open and
   * cannot share it, `database-failed` when it cannot be read.
   */
  open(): PromiseLike<unknown>
  isOpen(): boolean
  /** What runs then rejects, and changes nothing. Resolves when the database may be opened by another object. */
  close(): PromiseLike<unknown> | undefined
  /** Deletes it, closed or not; there may be none. */
  delete(): PromiseLike<unknown>
  /** Calls `listener` when the database is open no more. */
  onClose(listener: () => void): void
  /**
   * Runs `body` on a state of all tables that nothing else changes meanwhile. What it wrote is on the disk, all of it, when
   * this resolves [D1]; nothing of it ever is if this rejects. `body` awaits nothing but the tables that it is given.
   */
  transact<T>(mode: Mode, body: (tables: Tables) => Promise<T>): PromiseLike<T>
  /**
   * Tells what a query finds, soon, and again after each commit that may have changed it. An error ends it. Returns a
   * function that stops it.
   */
  live<T>(query: (tables: Tables) => Promise<T>, observer: QueryObserver<T>): () => void
}

/** `r` only reads. */
export type Mode = 'r' | 'rw'

/**
 * The tables of `schema.ts`. Those of a database stand for themselves: each call is a transaction of its own, and waits for
 * the one that runs. So a transaction uses the tables that it is given, and no others.
 */
export interface Tables {
  readonly updates: Table<UpdateRow, number>
  readonly snapshots: Table<SnapshotRow, string>
  readonly outbox: Table<OutboxRow, number>
  readonly replicas: Table<ReplicaRow, string>
  readonly people: Table<PersonRow, string>
  readonly meta: Table<MetaRow, string>
  /** All of them. */
  readonly tables: readonly Pick<Table<unknown, unknown>, 'clear' | 'toArray'>[]
}

interface RegisterTables {
  readonly visits: Table<VisitRow, string>
  readonly erased: Table<ErasedRow, string>
}

/** Who was here last, by the server's url. */
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
 * Rows by key, which is a property of the row. A row comes back as it was put: numbers, strings, booleans, `undefined`,
 * bytes, arrays, plain objects, Maps and Sets. Numbers are ordered; of strings no order is promised.
 */
export interface Table<Row, Key> {
  get(key: Key): PromiseLike<Row | undefined>
  /** In the order of the keys, with `undefined` for what is not there. */
  bulkGet(keys: Key[]): PromiseLike<(Row | undefined)[]>
  toArray(): PromiseLike<Row[]>
  count(): PromiseLike<number>
  /** Replaces the row of this key, or adds one. */
  put(row: Row): PromiseLike<Key>
  bulkPut(rows: readonly Row[]): PromiseLike<unknown>
  /** Adds a row without a key under a number above all that the table ever had, and resolves to the number. */
  add(row: Row): PromiseLike<Key>
  bulkAdd(rows: readonly Row[]): PromiseLike<unknown>
  delete(key: Key): PromiseLike<unknown>
  bulkDelete(keys: Key[]): PromiseLike<unknown>
  clear(): PromiseLike<unknown>
  /** All rows, in the order of their keys. */
  toCollection(): Selection<Row, Key>
  /** Rows by `:id`, their key, or by the indexed column of the table. */
  where(index: string): Where<Row, Key>
}

export interface Where<Row, Key> {
  equals(value: number): Selection<Row, Key>
  above(value: number): Selection<Row, Key>
  below(value: number): Selection<Row, Key>
  belowOrEqual(value: number): Selection<Row, Key>
}

/** Rows in the order of their keys. Nothing is read before one of the last five is called. */
export interface Selection<Row, Key> {
  filter(isMeant: (row: Row) => boolean): Selection<Row, Key>
  limit(count: number): Selection<Row, Key>
  toArray(): PromiseLike<Row[]>
  first(): PromiseLike<Row | undefined>
  last(): PromiseLike<Row | undefined>
  primaryKeys(): PromiseLike<Key[]>
  delete(): PromiseLike<unknown>
}
