import type { MessageAccounts } from './changes.ts'
import type { LevelRecord, Relation, UserRecord } from './records.ts'

/** A document as it is stored. */
export interface StoredParts {
  /** Identifies this state of the document. The position of a change that builds on it becomes the next version. */
  version: number
  /** The snapshot and the updates since, oldest first. Empty if there is none. */
  parts: Uint8Array[]
}

/** One user's view of another, as it is on disk. */
export interface View {
  viewer: UserRecord
  owner: UserRecord
  relation: Relation
}

/** Returns the accounts of a message from the viewer to the owner. */
export function accountsOf({ viewer, owner }: View): MessageAccounts {
  return { sender: viewer.registeredAt, recipient: owner.registeredAt }
}

/** Whether both users still have the accounts of the message: a user id that is registered again has another position. */
export function isOfAccounts({ viewer, owner }: View, { sender, recipient }: MessageAccounts): boolean {
  return viewer.registeredAt === sender && owner.registeredAt === recipient
}

/** A relation of a device's user, read when the device reconnects. */
export interface Known {
  owner: string
  relation: Relation
}

/** Views, and levels that were read with them: all of one state. */
export interface Looked {
  /** The position of the state that was read. The store may not have reported it yet. */
  at: number
  views: View[]
  /** In the order of the names. `undefined` where a level was never written. */
  levels: (LevelRecord | undefined)[]
}

/** Some of a user's relations, each in its state when it was read. */
export interface KnownPage {
  /** Everything on this page was read at this position or before. The store may not have reported it yet. */
  at: number
  relations: Known[]
}
