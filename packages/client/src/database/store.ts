import type { Signal } from '../signal.ts'
import type { DeviceDatabase, Tables } from './contract.ts'
import type { OwnDocuments } from './own-documents.ts'
import type { QueryObserver } from './query-observer.ts'
import type { Outcome, Work } from './work.ts'

/** The one way to this device's data. */
export interface Store {
  /** The own documents in memory, as last known. */
  readonly documents: OwnDocuments
  /** Changes that are on no server's disk yet. */
  readonly unsent: number
  /** Runs `body` in a transaction, after the work that was given before. A KithError or TypeError of it comes back as it is. */
  work<T>(body: (work: Work) => Promise<T>): Promise<T>
  /** Runs a query that needs none of the documents. */
  use<T>(query: (db: DeviceDatabase) => PromiseLike<T>): Promise<T>
  /** Takes in what other tabs wrote. */
  refresh(): Promise<void>
}

/** A store on one open database: a session works on one, and ends with it. */
export interface OpenStore extends Store {
  /** Calls `listener` once, when the database is open no more. Returns a function that unsubscribes. */
  onEnd(listener: () => void): () => void
}

/** The store of a client, for as long as that is open. */
export interface DeviceStore extends Store {
  /** The database, as it was last open. */
  readonly db: DeviceDatabase
  /** Resolves to the store on the database that is open. Rejects with a KithError when none can be opened now. */
  openStore(): Promise<OpenStore>
  /** Resolves when the work that was given before is done, whether it failed or not. */
  idle(): Promise<void>
  /** Calls `listener` whenever what memory holds may look different, while it is level with the disk. */
  onChange(listener: () => void): () => void
  /** Tells what a query finds, and again whenever that changes. Returns a function that stops it. */
  live<T>(query: (db: Tables) => Promise<T>, observer: QueryObserver<T>): () => void
  /** What a transaction is about to commit. */
  readonly changing: Signal<[outcome: Outcome]>
  /** What was committed. */
  readonly committed: Signal<[outcome: Outcome]>
  /** Calls `listener` whenever the database was opened again, or another one in its place. Returns a function that unsubscribes. */
  onOpen(listener: (isAnother: boolean) => void): () => void
}
