import type { Feed } from './feed.ts'

/** What one session knows of one owner. */
export interface Entry {
  readonly owner: string
  readonly feed: Feed
  /** Levels that the device was told it gets; `undefined`: what it holds is not known here, so it must be told. */
  told: readonly number[] | undefined
  toldWaiting: boolean
  /** It was told that it gets them only because it asked. */
  toldFetched: boolean
  /** The incarnation that it was told the roster is to confirm [D7]. */
  toldHands: string
  /** Up to which position it was told that the owner joined. */
  joinTold: number
  /** Asked for by this session, whether followed or not [V7]. */
  isFetched: boolean
  /** As of the last look, for noticing that a follow ended. */
  isFollowed: boolean
  /** As of the last look, whether the viewer sees what strangers see. */
  isOpen: boolean
  /** `told` is what the disk says, so live frames may be handed over. False from a commit until it is read again. */
  isChecked: boolean
  /** The feed's, when it was read: a change of many pairs at once begins another. */
  era: number
  /** Levels that the device has an old version of. */
  stale: Set<number>
  /** Counts what was asked of this entry, so that a look begun before the last of it doesn't answer for it. */
  revision: number
}

/** An owner of whom it isn't known what the device holds. */
export function newEntry(owner: string, feed: Feed, joinTold: number): Entry {
  return {
    owner,
    feed,
    told: undefined,
    toldWaiting: false,
    toldFetched: false,
    toldHands: '',
    joinTold,
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
