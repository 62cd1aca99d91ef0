import type { DocumentName } from '../store/keys.ts'
import type { Commit, Store } from '../store/store.ts'
import type { Entry } from './entry.ts'
import type { Feed } from './feed.ts'
import { LevelFrames } from './level-frames.ts'
import { RecentCommits } from './recent-commits.ts'

/** Beyond this, the pairs that one commit changed are looked at again in the feeds' own time. */
const manyPairs = 500

/** A session, as the relay sees it. */
export interface Receiver {
  readonly user: string
  /** Absent until the session has said that it speaks Kith's messages. */
  readonly feed: Feed | undefined
  sendOwn(document: DocumentName, update: Uint8Array): void
}

/**
 * Who is here, and who gets whose updates: owner → the local sessions that get them. A commit updates these entries
 * first, so that what it took away is withdrawn before a later edit flows [V6]; then it is handed to those entitled.
 */
export class Relay {
  readonly store: Store
  #sessionsByUser = new Map<string, Set<Receiver>>()
  #audience = new Map<string, Set<Entry>>()
  #openingFeeds = new Set<Feed>()
  #commits: RecentCommits
  #stop: () => void

  constructor(store: Store) {
    this.store = store
    this.#commits = new RecentCommits(store.position)
    this.#stop = store.watch({
      writing: subjects => this.#commits.begin(subjects),
      committed: commits => {
        this.#commits.end(commits)
        this.#onCommits(commits)
      },
      failed: () => this.#commits.end([]),
    })
  }

  get sessionCount(): number {
    let count = 0
    for (const sessions of this.#sessionsByUser.values()) count += sessions.size
    return count
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

  relayOwn(user: string, document: DocumentName, update: Uint8Array, except: unknown): void {
    for (const session of this.sessionsOf(user)) if (session !== except) session.sendOwn(document, update)
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

  /** @see RecentCommits.hasChangedSince */
  hasChangedSince(position: number, users: readonly string[]): boolean {
    return this.#commits.hasChangedSince(position, users)
  }

  /** @see RecentCommits.settled */
  settled(users: readonly string[]): Promise<void> {
    return this.#commits.settled(users)
  }

  /** First everything that may have been taken away, then what is new, in its newest state [V4][V6]. */
  #onCommits(commits: readonly Commit[]): void {
    const levelsByOwner = new Map<string, Map<number, Uint8Array>>()
    for (const commit of commits) {
      this.#recheck(commit)
      const [owner] = commit.subjects
      if (commit.levels.size === 0 || owner === undefined) continue
      const levels = levelsByOwner.get(owner) ?? new Map<number, Uint8Array>()
      levelsByOwner.set(owner, levels)
      for (const [level, fields] of commit.levels) levels.set(level, fields)
    }
    const lastOwners = this.#lastOwners([...levelsByOwner.keys()])
    for (const [owner, levels] of levelsByOwner) this.#offer(owner, levels, lastOwners)
  }

  #recheck({ position, pairs, owners }: Commit): void {
    if (pairs.length > manyPairs) this.#recheckMany(pairs, position)
    else
      for (const { viewer, owner } of pairs) {
        for (const { feed } of this.sessionsOf(viewer)) feed?.recheck(owner, position)
      }
    for (const user of owners) {
      for (const entry of this.#audience.get(user) ?? []) if (entry.isFetched) entry.feed.recheck(user, position)
      for (const { feed } of this.sessionsOf(user)) feed?.recheckFetched(position)
    }
  }

  #recheckMany(pairs: Commit['pairs'], position: number): void {
    const ownersByViewer = new Map<string, string[]>()
    for (const { viewer, owner } of pairs) {
      if (!this.#sessionsByUser.has(viewer)) continue
      const owners = ownersByViewer.get(viewer)
      if (owners) owners.push(owner)
      else ownersByViewer.set(viewer, [owner])
    }
    for (const [viewer, owners] of ownersByViewer) {
      for (const { feed } of this.sessionsOf(viewer)) {
        if (owners.length > manyPairs) feed?.recheckMany(owners, position)
        else for (const owner of owners) feed?.recheck(owner, position)
      }
    }
  }

  /** Each feed's last owner among several: only there all that was told together has been handed over [F1]. */
  #lastOwners(owners: readonly string[]): ReadonlyMap<Feed, string> | undefined {
    if (owners.length < 2) return undefined
    const last = new Map<Feed, string>()
    for (const owner of owners) for (const { feed } of this.#audience.get(owner) ?? []) last.set(feed, owner)
    return last
  }

  #offer(
    owner: string,
    levels: ReadonlyMap<number, Uint8Array>,
    lastOwners: ReadonlyMap<Feed, string> | undefined,
  ): void {
    for (const feed of this.#openingFeeds) feed.noteChanged(owner, levels.keys())
    const entries = this.#audience.get(owner)
    if (!entries) return
    const frames = new LevelFrames(owner, levels, this.store)
    for (const entry of entries) {
      entry.feed.offer(entry, frames, (lastOwners?.get(entry.feed) ?? owner) === owner)
    }
  }

  /** While a feed reads where it stands, it must hear of every change. */
  beginOpening(feed: Feed): void {
    this.#openingFeeds.add(feed)
  }

  endOpening(feed: Feed): void {
    this.#openingFeeds.delete(feed)
  }

  close(): void {
    this.#stop()
  }
}
