import { Dexie, type DexieOptions, liveQuery, type PromiseExtended, type Table } from 'dexie'
import type { DeviceDatabase, DeviceStorage, ErasedRow, Mode, Tables, VisitRow } from './contract.ts'
import { readMeta } from './meta.ts'
import type { QueryObserver } from './query-observer.ts'
import {
  expectKnown,
  type MetaRow,
  type OutboxRow,
  type PersonRow,
  type ReplicaRow,
  type SnapshotRow,
  schemaNumber,
  type UpdateRow,
} from './schema.ts'

export interface IndexedDBOptions {
  indexedDB?: IDBFactory | undefined
  IDBKeyRange?: typeof IDBKeyRange | undefined
}

/** The storage of browsers: an IndexedDB database per device, which all tabs of the device share. */
export function dexieStorage(options: IndexedDBOptions): DeviceStorage {
  return {
    database: (name, populate) => new DexieDatabase(name, options, populate),
    async register(mode, body) {
      const db = new RegisterDatabase(options)
      try {
        await db.open() // A transaction would hide why it cannot be opened.
        return await db.transaction(mode, db.tables, async () => body(db))
      } finally {
        db.close()
      }
    },
  }
}

export class DexieDatabase extends Dexie implements DeviceDatabase {
  #wasOpened = false
  declare readonly updates: Table<UpdateRow, number>
  declare readonly snapshots: Table<SnapshotRow, string>
  declare readonly outbox: Table<OutboxRow, number>
  declare readonly replicas: Table<ReplicaRow, string>
  declare readonly people: Table<PersonRow, string>
  declare readonly meta: Table<MetaRow, string>

  constructor(name: string, options: IndexedDBOptions, populate: (db: Tables) => unknown = () => undefined) {
    super(name, { ...dexieOptions(name, options, schemaNumber), autoOpen: false })
    this.version(1).stores({
      updates: '++seq',
      snapshots: 'document',
      outbox: '++seq',
      replicas: 'owner, isFetched',
      people: 'id, isListed',
      meta: 'key',
      requests: '++id',
      events: '++id',
    })
    this.version(schemaNumber).stores({ requests: null, events: null }) // A channel between tabs replaces them.
    this.on('populate', () => void populate(this))
  }

  /**
   * Opens the database once. Dexie would reopen a closed one automatically, and by then there may be another database. Rejects
   * with `database-newer` when a later version of Kith wrote it.
   */
  override open(): PromiseExtended<Dexie> {
    if (this.#wasOpened) return Dexie.Promise.reject(new Dexie.DatabaseClosedError()) as PromiseExtended<Dexie>
    this.#wasOpened = true
    return super.open().then(async db => {
      await this.#expectKnown()
      return db
    })
  }

  /** Dexie also opens newer databases. It may raise IndexedDB's own version by one; ten of those are one version of Dexie. */
  async #expectKnown(): Promise<void> {
    const found = Math.max(Math.floor(this.backendDB().version / 10), (await readMeta(this, 'schema')) ?? 0)
    try {
      expectKnown(this.name, found)
    } catch (error) {
      this.close()
      throw error
    }
  }

  override close(): undefined {
    super.close()
  }

  onClose(listener: () => void): void {
    this.on('close', listener)
  }

  transact<T>(mode: Mode, body: (tables: Tables) => Promise<T>): PromiseExtended<T> {
    return this.transaction(mode, this.tables, async () => body(this))
  }

  live<T>(query: (tables: Tables) => Promise<T>, { next, error }: QueryObserver<T>): () => void {
    const asking = liveQuery(() => query(this)).subscribe({ next, error })
    return () => asking.unsubscribe()
  }
}

/** Raised with each change of the register's stores. */
const registerVersion = 2

class RegisterDatabase extends Dexie {
  declare readonly visits: Table<VisitRow, string>
  declare readonly erased: Table<ErasedRow, string>

  constructor(options: IndexedDBOptions) {
    super('kith-visits', dexieOptions('kith-visits', options, registerVersion))
    this.version(1).stores({ visits: 'url' })
    this.version(registerVersion).stores({ visits: 'url', erased: 'writer' })
  }
}

/**
 * Strict durability: a transaction that is complete is on disk [D1]. Each device's rows are read from its own database.
 * `known` is the version of Dexie's that this code knows.
 */
function dexieOptions(name: string, { indexedDB, IDBKeyRange }: IndexedDBOptions, known: number): DexieOptions {
  // liveQuery uses these even if the database received others, and emits nothing without them.
  if (indexedDB) Dexie.dependencies.indexedDB ??= indexedDB
  if (IDBKeyRange) Dexie.dependencies.IDBKeyRange ??= IDBKeyRange
  const factory = indexedDB ?? Dexie.dependencies.indexedDB
  return {
    cache: 'disabled',
    chromeTransactionDurability: 'strict',
    ...(factory && { indexedDB: keepingNewer(factory, name, known) }),
    ...(IDBKeyRange && { IDBKeyRange }),
  }
}

/**
 * Dexie adds missing stores to a newer database, and raises its version, which ends the connections of newer tabs. Here it can
 * open a newer database, but not change it: `database-newer` is thrown instead. Dexie multiplies its versions by ten.
 */
function keepingNewer(
  factory: IDBFactory,
  name: string,
  known: number,
): Pick<IDBFactory, 'open' | 'deleteDatabase' | 'databases'> {
  return {
    open(database, version) {
      expectKnown(name, Math.floor((version ?? 0) / 10), known)
      return factory.open(database, version)
    },
    deleteDatabase: database => factory.deleteDatabase(database),
    // Without it, Dexie would keep a list of its databases in a database of its own.
    databases: () => factory.databases(),
  }
}
