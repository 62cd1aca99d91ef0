import type { View } from '../relations/views.ts'
import type { LevelFrames } from './level-frames.ts'

/** What one session knows of one owner. */
export interface Entry {
  readonly owner: string
  readonly feed: Follower
  /** The levels of the last `access` that was sent; `undefined`: what the device holds is not known, so an `access` must be sent. */
  sentLevels: readonly number[] | undefined
  sentWaiting: boolean
  /** The last `access` said that the device gets them only because it asked. */
  sentFetched: boolean
  /** The incarnation to confirm, as last sent [D7]. */
  sentHands: string
  /** The position up to which a join of the owner was sent. */
  joinSentAt: number
  /** What the device holds is of a holder of the id who had registered by this position [D7]; `undefined`: it is not known. */
  holderUpTo: number | undefined
  /** Asked for by this session, whether followed or not [V7]. */
  isFetched: boolean
  /** As of the last look, for noticing that a follow ended. */
  isFollowed: boolean
  /** As of the last look, whether the viewer sees what strangers see. */
  isOpen: boolean
  /** `sentLevels` is what the disk says, so live frames may be handed over. False from a commit until it is read again. */
  isChecked: boolean
  /** The feed's, when it was read: a change of many pairs at once begins another. */
  era: number
  /** Levels that the device has an old version of. */
  stale: Set<number>
  /** Counts what was asked of this entry, so that a look begun before the last of it doesn't answer for it. */
  revision: number
}

/** Levels of an owner that were committed and go out as they are. */
export interface Offer {
  entry: Entry
  levels: readonly number[]
  /** Of the entry, when it was offered. */
  revision: number
}

/** What it takes to have one feed look at one owner again, in look-ups. */
export const stepsOfRecheck = 10

/** What the relay calls on the feed of one session. */
export interface Follower {
  readonly user: string
  /** A change of this pair, at this position: nothing more is handed over until the pair was read again. */
  recheck(owner: string, position: number): void
  /**
   * A change of many pairs at once: all entries count as unread from the first step on [V4]. Yields how many look-ups it has
   * done since it last did, so that the relay can do it in slices.
   */
  recheckMany(owners: readonly string[], position: number): Iterable<number>
  /** A change of the viewer's own standing. */
  recheckFetched(position: number): void
  /** Another level 0 of this owner for viewers without a relation to the owner. */
  recheckStranger(entry: Entry, position: number): void
  /** A level changed while the feed was opening. */
  noteChanged(owner: string, levels: Iterable<number>): void
  /** The levels that the device gets of an owner, if this is how things stand. */
  levelsOf(owner: string, view: View): readonly number[]
  /** Of these levels, those that the device gets, or may get, as far as is known before the next look. */
  takes(entry: Entry, levels: readonly number[]): number[]
  /** Returns the levels that go out as they are in a moment, by {@link deliver}. The others are marked as stale. */
  offer(entry: Entry, changed: readonly number[]): readonly number[]
  deliver(offer: Offer, frames: LevelFrames, isLastOwner: boolean): void
  /** The feed may have missed a commit: ends its session, so that the device returns with the cursor that it has. */
  fail(error: unknown): void
  close(): void
}

/** An owner of whom it isn't known what the device holds. */
export function newEntry(owner: string, feed: Follower, joinSentAt: number): Entry {
  return {
    owner,
    feed,
    sentLevels: undefined,
    sentWaiting: false,
    sentFetched: false,
    sentHands: '',
    joinSentAt,
    holderUpTo: undefined,
    isFetched: false,
    isFollowed: false,
    isOpen: false,
    isChecked: false,
    era: 0,
    stale: nothingStale,
    revision: 0,
  }
}

/** Most entries have nothing stale, most of the time: they share one set. Never added to. */
export const nothingStale: Set<number> = new Set()

export function markStale(entry: Entry, level: number): void {
  if (entry.stale === nothingStale) entry.stale = new Set()
  entry.stale.add(level)
}
