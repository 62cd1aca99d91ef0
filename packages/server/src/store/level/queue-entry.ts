import type { Change } from '../../relations/changes.ts'
import type { Commit } from '../../relations/commit.ts'
import type { CommitNotes, Draft } from '../../relations/draft.ts'
import type { Operation } from './operations.ts'
import type { Reading } from './reading.ts'
import type { Slice } from './stage/slice.ts'

/** A change in the queue of commits. */
export interface Waiting {
  change: Change
  resolve: (commit: Commit) => void
  reject: (error: unknown) => void
  /** It was derived outside the queue. It is valid unless something that it read was written meanwhile. */
  prepared?: PreparedWrite
  /** It is derived in the queue, however large it is, because other changes have overtaken it each time. */
  isForced?: boolean
}

/** Work that writes between two batches, without being a change. It does not reject. */
export interface Work {
  run(): Promise<void>
}

export interface PreparedWrite {
  draft: Draft
  notes: CommitNotes
  reading: Reading
  /** Operations that were staged, if they are too many for one batch, and those that the commit writes itself. */
  writes: { readonly slices: readonly Slice[]; readonly operations: readonly Operation[] }
  /** Something that the change read has been written since. */
  outdated: () => void
}
