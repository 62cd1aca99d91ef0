import type { DocumentName } from '../store/keys.ts'
import type { Commit, Store } from '../store/store.ts'
import type { Entry, Feed } from './feed.ts'
import { LevelFrames } from './level-frames.ts'

/** A session, as the relay sees it. */
export interface Receiver {
  readonly user: string
  /** Absent until the session has said that it speaks Kith's messages. */
  readonly feed: Feed | undefined
  sendOwn(document: DocumentName, update: Uint8Array): void
}

/** As many commits are remembered as may pass while somebody reads. */
const rememberedCommits = 4096

/**
 * Who is here, and who gets whose updates: owner → the local sessions that get them. A commit updates these entries
 * first, so that what it took away is withdrawn before a later edit flows [V6]; then it is handed to those entitled.
 */
export class Relay {
  readonly store: Store
  #sessionsByUser = new Map<string, Set<Receiver>>()
  #audience = new Map<string, Set<Entry>>()
  #openingFeeds = new Set<Feed>()
  #recent: { position: number; subjects: readonly string[] }[] = []
  #forgottenUpTo = 0
  #writing: { subjects: ReadonlySet<string>; done: Promise<void>; end: () => void } | undefined
  #stop: () => void

  constructor(store: Store) {
    this.store = store
    this.#forgottenUpTo = store.position
    this.#stop = store.watch({
      writing: subjects => this.#beginWriting(subjects),
      committed: commits => {
        this.#endWriting()
        this.#onCommits(commits)
      },
      failed: () => this.#endWriting(),
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

  /**
   * Whether a commit that concerns one of the users passed since a position: what was read then must be read again
   * [V4]. True also while such a commit is being written, and when the position is too long ago to tell.
   */
  hasChangedSince(position: number, users: readonly string[]): boolean {
    if (position < this.#forgottenUpTo || this.#isWriting(users)) return true
    for (let index = this.#recent.length - 1; index >= 0; index--) {
      const commit = this.#recent[index] as { position: number; subjects: readonly string[] }
      if (commit.position <= position) return false
      if (commit.subjects.some(subject => users.includes(subject))) return true
    }
    return false
  }

  /** Resolves when no commit that concerns one of the users is being written: reading before would be for nothing. */
  async settled(users: readonly string[]): Promise<void> {
    while (this.#isWriting(users)) await this.#writing?.done
  }

  #isWriting(users: readonly string[]): boolean {
    const { subjects } = this.#writing ?? {}
    return subjects !== undefined && users.some(user => subjects.has(user))
  }

  #beginWriting(subjects: ReadonlySet<string>): void {
    let end: () => void = () => undefined
    const done = new Promise<void>(resolve => {
      end = resolve
    })
    this.#writing = { subjects, done, end }
  }

  #endWriting(): void {
    this.#writing?.end()
    this.#writing = undefined
  }

  /** First everything that may have been taken away, then what is new, in its newest state [V4][V6]. */
  #onCommits(commits: readonly Commit[]): void {
    const levelsByOwner = new Map<string, Map<number, Uint8Array>>()
    for (const commit of commits) {
      this.#remember(commit)
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
    for (const { viewer, owner } of pairs) {
      for (const { feed } of this.sessionsOf(viewer)) feed?.recheck(owner, position)
    }
    for (const user of owners) {
      for (const entry of this.#audience.get(user) ?? []) if (entry.isFetched) entry.feed.recheck(user, position)
      for (const { feed } of this.sessionsOf(user)) feed?.recheckFetched(position)
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

  #remember({ position, subjects }: Commit): void {
    this.#recent.push({ position, subjects })
    if (this.#recent.length <= 2 * rememberedCommits) return
    const forgotten = this.#recent.splice(0, rememberedCommits)
    this.#forgottenUpTo = forgotten.at(-1)?.position ?? this.#forgottenUpTo
  }

  close(): void {
    this.#stop()
  }
}
