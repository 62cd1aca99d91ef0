import type { LevelEdit } from './level-edit.ts'
import type { DocumentName } from './records.ts'
import type { Unwritable } from './unwritable.ts'

/** The effects of a commit, for the listeners that relay it. The disk is in this state when listeners are called. */
export interface Commit {
  position: number
  /** First the user whose change it was, then the other users concerned. Each changed pair includes one of the subjects. */
  subjects: readonly string[]
  /** (viewer, owner): what the viewer may see, or is shown, has changed. */
  pairs: readonly { viewer: string; owner: string }[]
  /** Users whose own standing changed: what they see of owners whom they only look at must be checked again. */
  standings: readonly string[]
  /**
   * Owners who now show something else to users who only look at them, and these users. All other changes are in `pairs`. A
   * viewer for whom nothing changes is not checked again, because the time of a check would be noticeable [V10].
   */
  strangers: readonly Lookers[]
  /** Owners who now hide their presence, or no longer hide it. */
  hidings: readonly string[]
  /** Messages of some users no longer reach the first subject from here on. */
  narrowsMessages?: true
  /** Levels of the first subject's profile that changed, with their new fields. */
  levels: ReadonlyMap<number, Uint8Array>
  /** The fields that the commit changed in these levels. A level that did not exist before has no entry. */
  edits: readonly LevelEdit[]
  /** Users with new events that wait to be delivered, see `outbox.ts`. */
  lines: ReadonlySet<string>
  /** The user is new. */
  isNew: boolean
  /** The look-up exceeds the budget: when to retry. */
  retryAfterMs?: number
  /** The account that the change was to erase no longer exists. Nothing was written. */
  isMissed?: true
  /** Present if another node made the commit: the documents of the first subject that it changed, and what it ended. */
  elsewhere?: { documents: readonly DocumentName[]; ends?: 'sessions' | 'account' | undefined }
}

/** Users who only look at an owner: they do not follow the owner, hold no grant, and are not paired. */
export interface Lookers {
  owner: string
  viewers: ReadonlySet<string>
  /** The lookers are all other users instead, including users without a relation to the owner. */
  areExcepted: boolean
}

/** Whether a user is one of them, provided that the user looks at the owner at all. */
export function isLooker({ viewers, areExcepted }: Lookers, user: string): boolean {
  return viewers.has(user) !== areExcepted
}

/**
 * Whether a commit may take something away from a user. Then all nodes must have applied it before it is acknowledged. Edits of
 * a profile take nothing away.
 */
export function takesAway({ pairs, standings, strangers, hidings, narrowsMessages, elsewhere }: Commit): boolean {
  return (
    pairs.length > 0 ||
    standings.length > 0 ||
    strangers.length > 0 ||
    hidings.length > 0 ||
    narrowsMessages === true ||
    elsewhere?.ends !== undefined
  )
}

/** A listener that must be notified of every batch, in order. Called synchronously. */
export interface CommitListener {
  /**
   * A batch is about to be written or, in a store that several nodes share, to be reported. From now until the next call, the
   * state may have changed. The batch waits for the promise while the results of reads are being handed over.
   */
  writing?(): Promise<void>
  /**
   * All of these commits are on disk, so something that a later commit took away must not be handed over for an earlier one.
   */
  committed(commits: readonly Commit[]): void
  /** Nothing of the batch is on disk. */
  failed?(): void
  /**
   * The first position at which the result of a read waits to be handed over, if any. A store with several batches to report
   * reports the batches up to this position first, separately.
   */
  firstAwaited?(): number | undefined
  /** The history differs from the one that was reported, so data that was handed over may be wrong. All sessions must end. */
  lost?(): void
  /** Changes are refused from now on, for this reason. `undefined`: they are accepted again. */
  refusing?(refusal: Unwritable | undefined): void
}
