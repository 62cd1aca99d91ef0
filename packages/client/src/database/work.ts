import type { ChangedKey } from '../documents/own-document.ts'
import type { Tables } from './contract.ts'
import type { OwnDocuments } from './own-documents.ts'
import type { Happening, People } from './people.ts'
import type { PersonRow } from './schema.ts'

/** The data and functions that a piece of work in the database may use; they end with the transaction. */
export interface Work {
  readonly db: Tables
  readonly documents: OwnDocuments
  /** Loads the documents again, after they were replaced in the database. */
  reload(): Promise<OwnDocuments>
  readonly people: People
  /** Call this before changing documents in memory: if the transaction fails, they are loaded again. */
  willChange(): void
  /** These keys of the roster have changed visibly, although no update contains them. */
  touch(keys: readonly ChangedKey[]): void
  touchUsers(ids: Iterable<string>): void
  /** A new entry is in the outbox. */
  wrote(): void
  /** Another device changed the own profile: an event is to report it. */
  ownProfileChanged(): void
}

/** The result of a piece of work, once it is on disk. */
export interface Outcome {
  people: ReadonlyMap<string, PersonRow | undefined>
  happenings: readonly Happening[]
  isOwnProfileChanged: boolean
  /** Whether there is something new to send. */
  hasWritten: boolean
  /** Whether data in memory changed: documents, or the number of unsent changes. */
  isChanged: boolean
}
