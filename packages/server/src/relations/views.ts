import type { LevelRecord, Relation, UserRecord } from './records.ts'

/** A document as it is stored. */
export interface StoredParts {
  /** Names this state of the document among its states; a change that builds on it makes its own position the version. */
  version: number
  /** Snapshot and updates since, oldest first; empty when there is none. */
  parts: Uint8Array[]
}

/** One user's view of another, as it stands on disk. */
export interface View {
  viewer: UserRecord
  owner: UserRecord
  relation: Relation
}

/** A relation of a device's user, read when the device comes back. */
export interface Known {
  owner: string
  relation: Relation
}

/** Views, and levels that were read with them: all of one state. */
export interface Looked {
  /** The position of the state that was read. The store may not have reported it yet. */
  at: number
  views: View[]
  /** In the order asked for; `undefined` where a level was never written. */
  levels: (LevelRecord | undefined)[]
}

/** Some of a user's relations, each as it stood when it was read. */
export interface KnownPage {
  /** Nothing of this page is of a state after this position. The store may not have reported it yet. */
  at: number
  relations: Known[]
}
