import type { LevelEdit } from './level-edit.ts'
import type { DocumentName } from './records.ts'
import type { Unwritable } from './unwritable.ts'

/** What a commit did, for those who relay it. The disk is in this state when listeners are called. */
export interface Commit {
  position: number
  /** Whose change it was, first; then who else is concerned. A pair that changed has one of them. */
  subjects: readonly string[]
  /** (viewer, owner): what the viewer may see, or is shown, is another than before. */
  pairs: readonly { viewer: string; owner: string }[]
  /** Users whose own standing changed: what they see of those whom they merely look at must be checked again. */
  standings: readonly string[]
  /**
   * Owners of whom users who at most look at them see otherwise from here on, and who these are. Of all others `pairs`
   * tells. A viewer for whom nothing changes is not checked again: the time of a check would show [V10].
   */
  strangers: readonly Lookers[]
  /** Owners who hide their presence from here on, or no longer. */
  hidings: readonly string[]
  /** Messages of some users no longer reach the first subject from here on. */
  narrowsMessages?: true
  /** Levels of the first subject's profile that changed, with their new fields. */
  levels: ReadonlyMap<number, Uint8Array>
  /** Which fields of them it changed; of a level that was not there before, nothing. */
  edits: readonly LevelEdit[]
  /** Users with events that wait to be delivered from here on, see `outbox.ts`. */
  lines: ReadonlySet<string>
  /** The user is new. */
  isNew: boolean
  /** A look-up that is beyond the budget: when to come back. */
  retryAfterMs?: number
  /** Present if another node made the commit: the documents of the first subject that it changed, and what it ended. */
  elsewhere?: { documents: readonly DocumentName[]; ends?: 'sessions' | 'account' | undefined }
}

/** Users who at most look at an owner: they neither follow nor hold a grant, and are not paired. */
export interface Lookers {
  owner: string
  viewers: ReadonlySet<string>
  /** It is all others instead, users without a relation to the owner among them. */
  areExcepted: boolean
}

/** Whether a user is one of them, if that user looks at the owner at all. */
export function isLooker({ viewers, areExcepted }: Lookers, user: string): boolean {
  return viewers.has(user) !== areExcepted
}

/**
 * Whether a commit may take something from a user who had it, so that all nodes must have applied it before it is answered.
 * Edits of a profile do not.
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

/** A listener that must know of every batch, in order. Called synchronously. */
export interface CommitListener {
  /**
   * A batch is about to be written, or, by a store that several nodes share, to be reported: from here on the state may be
   * another, until the next call. The batch waits for the promise, for as long as something that was read is being handed over.
   */
  writing?(): Promise<void>
  /** All of these commits are on disk, so what a later one took away may not be handed out for an earlier one. */
  committed(commits: readonly Commit[]): void
  /** Nothing of the batch is on disk. */
  failed?(): void
  /**
   * The first position at which something that was read waits to be handed over, if any: a store that has several batches to
   * report reports those up to this position first, by themselves.
   */
  firstAwaited?(): number | undefined
  /** The history is another than the one that was reported, so what was handed over may be wrong: all sessions must end. */
  lost?(): void
  /** From here on changes are refused, and why; `undefined`: they are taken again. */
  refusing?(refusal: Unwritable | undefined): void
}
