import type { View } from '../relations/views.ts'
import type { LevelFrames } from './level-frames.ts'

/** The state that one session keeps for one owner. */
export interface Entry {
  readonly owner: string
  readonly feed: Follower
  /**
   * The levels of the last `access` that was sent. `undefined`: it is not known what the device holds, so an `access` must be
   * sent.
   */
  sentLevels: readonly number[] | undefined
  sentWaiting: boolean
  /** The last `access` stated that the device gets the levels only because it fetched them. */
  sentFetched: boolean
  /** The incarnation that the user must confirm, as last sent [D7]. */
  sentHands: string
  /** The position up to which a `joined` of the owner was sent. */
  joinSentAt: number
  /** The device's replicas belong to a holder of the id who had registered by this position [D7]. `undefined`: not known. */
  holderUpTo: number | undefined
  /** Fetched by this session, whether followed or not [V7]. */
  isFetched: boolean
  /** Whether the viewer followed the owner at the last check. Used to notice that a follow ended. */
  isFollowed: boolean
  /** Whether the viewer saw what strangers see at the last check. */
  isOpen: boolean
  /** `sentLevels` matches the disk, so live frames may be handed over. False from a commit until the pair is read again. */
  isChecked: boolean
  /** The era of the feed when this entry was read. A change of many pairs starts a new era. */
  era: number
  /** Levels of which the device has an old version. */
  stale: Set<number>
  /** Counts the requests to read this entry, so that a read that began before the last request does not satisfy it. */
  revision: number
}

/** Committed levels of an owner that are sent as they are. */
export interface Offer {
  entry: Entry
  levels: readonly number[]
  /** The revision of the entry when the levels were offered. */
  revision: number
}

/** The cost of making one feed check one owner again, in look-ups. */
export const stepsOfRecheck = 10

/** The methods that the relay calls on the feed of one session. */
export interface Follower {
  readonly user: string
  /** This pair changed at this position. Nothing more is handed over until the pair has been read again. */
  recheck(owner: string, position: number): void
  /**
   * Many pairs changed. All entries count as unread from the first step on [V4]. Yields the number of look-ups done since the
   * last yield, so the relay can run this in slices.
   */
  recheckMany(owners: readonly string[], position: number): Iterable<number>
  /** The viewer's own standing changed. */
  recheckFetched(position: number): void
  /** Level 0 of this owner changed for viewers without a relation to the owner. */
  recheckStranger(entry: Entry, position: number): void
  /** A level changed while the feed was opening. */
  noteChanged(owner: string, levels: Iterable<number>): void
  /** Returns the levels of an owner that the device gets, given this view. */
  levelsOf(owner: string, view: View): readonly number[]
  /** Returns those of these levels that the device gets, or may get, according to the last check. */
  takes(entry: Entry, levels: readonly number[]): number[]
  /** Returns the levels that {@link deliver} will soon send as they are. The others are marked as stale. */
  offer(entry: Entry, changed: readonly number[]): readonly number[]
  deliver(offer: Offer, frames: LevelFrames, isLastOwner: boolean): void
  /** The feed may have missed a commit. Ends its session, so the device reconnects with its current cursor. */
  fail(error: unknown): void
  close(): void
}

/** Creates the entry of an owner for whom it is not known what the device holds. */
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

/** Most entries have no stale levels most of the time, so they share one set. Nothing is ever added to it. */
export const nothingStale: Set<number> = new Set()

export function markStale(entry: Entry, level: number): void {
  if (entry.stale === nothingStale) entry.stale = new Set()
  entry.stale.add(level)
}
