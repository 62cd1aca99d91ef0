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
  /** It was derived outside the queue, and holds unless what that read was written meanwhile. */
  prepared?: PreparedWrite
  /** It is derived here, however large it is: others have always been faster. */
  isForced?: boolean
}

/** What writes between two batches, without being a change. It does not reject. */
export interface Work {
  run(): Promise<void>
}

export interface PreparedWrite {
  draft: Draft
  notes: CommitNotes
  reading: Reading
  /** Operations that were staged, if they are too many for one batch; and those that the commit writes itself. */
  writes: { readonly slices: readonly Slice[]; readonly operations: readonly Operation[] }
  /** Something that was read has been written since. */
  outdated: () => void
}
