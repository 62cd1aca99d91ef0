import { encodeFrame } from '@kith/shared/wire'
import type { Device } from '../device.ts'
import { orFail, stepsOrFail } from '../or-fail.ts'
import { type Commit, type CommitListener, isLooker } from '../relations/commit.ts'
import type { DocumentName } from '../relations/records.ts'
import type { Store } from '../relations/store.ts'
import { inSlices } from '../turns.ts'
import { type Among, changedSince } from './changed-levels.ts'
import { CommittedLevels } from './committed-levels.ts'
import { CurrentReads } from './current-reads.ts'
import { Cursors } from './cursors.ts'
import { type Saves, savesHalf } from './difference.ts'
import { type Entry, type Follower, type Offer, stepsOfRecheck } from './entry.ts'
import { LevelFrames } from './level-frames.ts'
import { RecentChanges } from './recent-changes.ts'

/** If one commit changes more pairs than this, each feed checks them again at its own pace. */
const manyPairs = 500
/** The cost of making one feed check all owners again, in look-ups. */
const stepsOfManyRechecks = 2_000

/** The subset of a session that the relay uses. */
export type Receiver = Pick<
  Device,
  'user' | 'feed' | 'hasArrived' | 'outstandingBytes' | 'heldBytes' | 'say' | 'sendOwn' | 'founderOf' | 'outdate'
>

/**
 * The connected sessions and the owners whose updates they get: owner → the local sessions that get the owner's updates. A
 * commit first updates these entries, so what it took away is withdrawn before a later edit is sent [V6]. Then the commit is
 * handed to the entitled sessions.
 */
export class Relay {
  readonly store: Store
  /** Reads of data that is handed over next. */
  readonly reads: CurrentReads
  readonly cursors: Cursors
  #changes: RecentChanges
  readonly #saves: Saves
  #sessionsByUser = new Map<string, Set<Receiver>>()
  #audience = new Map<string, Set<Entry>>()
  #openingFeeds = new Set<Follower>()
  /**
   * The remaining slices of a commit that affects many pairs. Until they are done, nothing that was read is handed over, and no
   * batch begins.
   */
  #unfinished: Promise<void> | undefined
  /** Call this for each batch, before all other listeners except the one that witnesses what was answered. */
  readonly listener: CommitListener = {
    writing: () => this.#unfinished?.then(() => this.reads.begin()) ?? this.reads.begin(),
    committed: commits => {
      try {
        this.#unfinished = inSlices(this.#onCommits(commits), error => this.#failAll(error))?.finally(() =>
          this.#finish(),
        )
        // A device that disconnected with a later cursor would never learn what this commit takes away.
        if (this.#unfinished) this.cursors.hold((commits[0]?.position ?? 1) - 1)
      } finally {
        if (!this.#unfinished) this.reads.end()
      }
    },
    failed: () => this.reads.end(),
    firstAwaited: () => this.reads.firstAwaited,
    // There may have been commits that were not reported.
    lost: () => {
      this.reads.lost()
      this.#changes = new RecentChanges(this.store.position)
    },
  }

  /** `saves`: decides when a difference is sent instead of a level. */
  constructor(store: Store, saves: Saves = savesHalf) {
    this.store = store
    this.#saves = saves
    this.reads = new CurrentReads(() => store.position, store.lease)
    this.cursors = new Cursors(store)
    this.#changes = new RecentChanges(store.position)
  }

  get sessionCount(): number {
    let count = 0
    for (const sessions of this.#sessionsByUser.values()) count += sessions.size
    return count
  }

  /** Users with a device on this node. */
  get users(): Iterable<string> {
    return this.#sessionsByUser.keys()
  }

  sessionsOf(user: string): ReadonlySet<Receiver> {
    return this.#sessionsByUser.get(user) ?? new Set()
  }

  join(session: Receiver): void {
    const sessions = this.#sessionsByUser.get(session.user) ?? new Set()
    this.#sessionsByUser.set(session.user, sessions.add(session))
  }

  leave(session: Receiver): void {
    const sessions = this.#sessionsByUser.get(session.user)
    sessions?.delete(session)
    if (sessions?.size === 0) this.#sessionsByUser.delete(session.user)
    session.feed?.close()
  }

  /**
   * Sends a change of the user's own document to the user's devices. `founder`: the founder of that document; 0 in the first
   * generation. A device with another generation is disconnected, because it would merge the two.
   */
  relayOwn(user: string, document: DocumentName, update: Uint8Array, founder: number, except: unknown): void {
    for (const session of [...this.sessionsOf(user)]) {
      if (session === except) continue
      const known = session.founderOf(document)
      if (founder > 0 && known !== undefined && known !== founder) session.outdate(document)
      else session.sendOwn(document, update)
    }
  }

  /** Ends the sessions of devices that received another generation of the document. */
  outdate(user: string, document: DocumentName, founder: number): void {
    for (const session of [...this.sessionsOf(user)]) {
      const known = session.founderOf(document)
      if (known !== undefined && known !== founder) session.outdate(document)
    }
  }

  /** Returns the frame with the feed's current position. Each call makes a new one. */
  caughtUp(): Uint8Array {
    return encodeFrame({ type: 'caughtUp', cursor: this.cursors.seal() })
  }

  /** Returns a function that finds the owners whose profile may have changed since a position. */
  changedSince(since: number): Promise<Among> {
    return changedSince(this.store, this.#changes, since)
  }

  addEntry(entry: Entry): void {
    const entries = this.#audience.get(entry.owner) ?? new Set()
    this.#audience.set(entry.owner, entries.add(entry))
  }

  removeEntry(entry: Entry): void {
    const entries = this.#audience.get(entry.owner)
    entries?.delete(entry)
    if (entries?.size === 0) this.#audience.delete(entry.owner)
  }

  #finish(): void {
    this.#unfinished = undefined
    this.cursors.release()
    this.reads.end()
  }

  /** Handles first everything that may have been taken away, then the news, in its newest state [V4][V6]. */
  *#onCommits(commits: readonly Commit[]): Iterator<number> {
    const levelsByOwner = new Map<string, CommittedLevels>()
    for (const commit of commits) {
      const [owner] = commit.subjects
      if (commit.levels.size === 0 || owner === undefined) continue
      const levels = levelsByOwner.get(owner) ?? new CommittedLevels()
      levelsByOwner.set(owner, levels)
      this.#changes.note(owner, commit.position)
      levels.add(commit)
    }
    for (const commit of commits) yield* this.#recheck(commit)
    const lastOwners = this.#lastOwners(levelsByOwner)
    for (const [owner, levels] of levelsByOwner) this.#deliver(owner, levels, lastOwners)
  }

  *#recheck({ position, pairs, standings, strangers }: Commit): Iterable<number> {
    if (pairs.length > manyPairs) yield* this.#recheckMany(pairs, position)
    else
      for (const { viewer, owner } of pairs) {
        for (const feed of this.#feedsOf(viewer)) orFail(feed, () => feed.recheck(owner, position))
        yield stepsOfRecheck
      }
    for (const user of standings) {
      for (const feed of this.#feedsOf(user)) orFail(feed, () => feed.recheckFetched(position))
      yield stepsOfManyRechecks * this.sessionsOf(user).size
    }
    for (const lookers of strangers) {
      for (const entry of this.#audience.get(lookers.owner) ?? []) {
        const { feed } = entry
        if (isLooker(lookers, feed.user)) orFail(feed, () => feed.recheckStranger(entry, position))
        yield stepsOfRecheck
      }
    }
  }

  *#recheckMany(pairs: Commit['pairs'], position: number): Iterable<number> {
    const ownersByViewer = new Map<string, string[]>()
    for (const { viewer, owner } of pairs) {
      yield 1
      if (!this.#sessionsByUser.has(viewer)) continue
      const owners = ownersByViewer.get(viewer)
      if (owners) owners.push(owner)
      else ownersByViewer.set(viewer, [owner])
    }
    for (const [viewer, owners] of ownersByViewer) {
      for (const feed of this.#feedsOf(viewer)) {
        if (owners.length > manyPairs) {
          yield* stepsOrFail(feed, feed.recheckMany(owners, position))
          yield stepsOfManyRechecks
        } else for (const owner of owners) orFail(feed, () => feed.recheck(owner, position))
        yield stepsOfRecheck * Math.min(owners.length, manyPairs)
      }
    }
  }

  *#feedsOf(user: string): Iterable<Follower> {
    for (const { feed } of this.sessionsOf(user)) if (feed) yield feed
  }

  /** A commit was not processed completely: any feed may have missed what it took away. */
  #failAll(error: unknown): void {
    for (const user of [...this.#sessionsByUser.keys()]) for (const feed of this.#feedsOf(user)) feed.fail(error)
  }

  /**
   * Returns each feed's last owner of several. Only after that owner has everything that was committed together been handed
   * over [F1]. Owners of whom the feed receives nothing do not count. Otherwise a frame without a cursor would reveal that they
   * exist [V10].
   */
  #lastOwners(levelsByOwner: ReadonlyMap<string, CommittedLevels>): ReadonlyMap<Follower, string> | undefined {
    if (levelsByOwner.size < 2) return undefined
    const last = new Map<Follower, string>()
    for (const [owner, levels] of levelsByOwner) {
      for (const entry of this.#audience.get(owner) ?? []) {
        orFail(entry.feed, () => {
          if (entry.feed.takes(entry, [...levels.keys()]).length > 0) last.set(entry.feed, owner)
        })
      }
    }
    return last
  }

  /**
   * Sends owners' changes after their commits are acknowledged, so the time until the acknowledgement does not reveal how many
   * devices receive them [V10]. The next batch waits until they are sent, so the disk still matches what was checked [V4].
   */
  #deliver(owner: string, levels: CommittedLevels, lastOwners: LastOwners): void {
    for (const feed of this.#openingFeeds) orFail(feed, () => feed.noteChanged(owner, levels.keys()))
    const offers: Offer[] = []
    const changed = [...levels.keys()].sort((a, b) => a - b)
    for (const entry of this.#audience.get(owner) ?? []) {
      orFail(entry.feed, () => {
        const taken = entry.feed.offer(entry, changed)
        if (taken.length > 0) offers.push({ entry, levels: taken, revision: entry.revision })
      })
    }
    if (offers.length === 0) return
    const release = this.reads.holdNext()
    afterAnswers(() => {
      try {
        const frames = new LevelFrames(owner, levels, this.cursors, this.#saves)
        for (const offer of offers) {
          const { feed } = offer.entry
          orFail(feed, () => feed.deliver(offer, frames, (lastOwners?.get(feed) ?? owner) === owner))
        }
      } finally {
        release()
      }
    })
  }

  /** While a feed reads its initial state, it must be notified of every change. */
  beginOpening(feed: Follower): void {
    this.#openingFeeds.add(feed)
  }

  endOpening(feed: Follower): void {
    this.#openingFeeds.delete(feed)
  }
}

type LastOwners = ReadonlyMap<Follower, string> | undefined

/** A commit is acknowledged in this turn of the event loop, and its barrier in the next one. */
function afterAnswers(work: () => void): void {
  setImmediate(() => setImmediate(work))
}
