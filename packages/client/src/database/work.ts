import type { ChangedKey } from '../documents/own-document.ts'
import type { Tables } from './contract.ts'
import type { OwnDocuments } from './own-documents.ts'
import type { Happening, People } from './people.ts'
import type { PersonRow } from './schema.ts'

/** What a piece of work in the database may touch; it ends with the transaction. */
export interface Work {
  readonly db: Tables
  readonly documents: OwnDocuments
  /** Loads the documents again, after they were replaced in the database. */
  reload(): Promise<OwnDocuments>
  readonly people: People
  /** Call this before changing documents in memory: if the transaction then fails, they are loaded again. */
  willChange(): void
  /** These keys of the roster look different now, though no update says so. */
  touch(keys: readonly ChangedKey[]): void
  touchUsers(ids: Iterable<string>): void
  /** Something stands in the outbox that was not there before. */
  wrote(): void
  /** The own profile changed on another device: an event is to report it. */
  ownProfileChanged(): void
}

/** What a piece of work left behind, once it is on disk. */
export interface Outcome {
  people: ReadonlyMap<string, PersonRow | undefined>
  happenings: readonly Happening[]
  isOwnProfileChanged: boolean
  /** There is something new to send. */
  hasWritten: boolean
  /** Something that is kept in memory changed: documents, or how much is unsent. */
  isChanged: boolean
}
