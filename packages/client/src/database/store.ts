import type { Signal } from '../signal.ts'
import type { DeviceDatabase, Tables } from './contract.ts'
import type { OwnDocuments } from './own-documents.ts'
import type { QueryObserver } from './query-observer.ts'
import type { Outcome, Work } from './work.ts'

/** The only access to this device's data. */
export interface Store {
  /** The own documents in memory, in their last known state. */
  readonly documents: OwnDocuments
  /** Changes that are on no server's disk yet. */
  readonly unsent: number
  /** Runs `body` in a transaction, after all earlier work. Rejects with a KithError or TypeError of `body` unchanged. */
  work<T>(body: (work: Work) => Promise<T>): Promise<T>
  /** Runs a query that needs neither document. */
  use<T>(query: (db: DeviceDatabase) => PromiseLike<T>): Promise<T>
  /** Applies the changes of other tabs. */
  refresh(): Promise<void>
}

/** A store on one open database. A session works on one, and ends with it. */
export interface OpenStore extends Store {
  /** Calls `listener` once, when the database is no longer open. Returns an unsubscribe function. */
  onEnd(listener: () => void): () => void
}

/** The store of a client, for as long as the client is open. */
export interface DeviceStore extends Store {
  /** The database that was last open. */
  readonly db: DeviceDatabase
  /** Resolves to the store on the open database. Rejects with a KithError when none can be opened now. */
  openStore(): Promise<OpenStore>
  /** Resolves when all earlier work has ended, whether it failed or not. */
  idle(): Promise<void>
  /**
   * Calls `listener` when data in memory may have changed, while memory is up to date with the disk. Returns an unsubscribe
   * function.
   */
  onChange(listener: () => void): () => void
  /** Passes the result of a query to `observer`, and again whenever it changes. Returns a function that stops it. */
  live<T>(query: (db: Tables) => Promise<T>, observer: QueryObserver<T>): () => void
  /** Fires when a transaction is about to commit. */
  readonly changing: Signal<[outcome: Outcome]>
  /** Fires after a commit. */
  readonly committed: Signal<[outcome: Outcome]>
  /** Calls `listener` when the database was opened again, or another one instead of it. Returns an unsubscribe function. */
  onOpen(listener: (isAnother: boolean) => void): () => void
}
