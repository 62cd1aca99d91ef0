import type { CommitNotes, Draft } from '../../relations/draft.ts'
import type { Change, Commit } from '../../relations/store.ts'
import type { Encoded } from './encoded.ts'
import type { Reading } from './reading.ts'

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

export interface PreparedWrite {
  draft: Draft
  notes: CommitNotes
  reading: Reading
  encoded: Encoded
  /** Something that was read has been written since. */
  outdated: () => void
}
