import { KithError } from '@kith/shared'
import { DatabaseLost, isLoss } from '../device/loss.ts'
import { type SurvivalPort, survive } from '../device/recover.ts'
import { addUsers } from '../documents/changed-users.ts'
import { databaseFailure } from './failure.ts'
import { watchAnew } from './live-query.ts'
import { OwnDocuments } from './own-documents.ts'
import { People } from './people.ts'
import type { KithDatabase } from './schema.ts'
import type { Outcome, TellTabs, Work } from './work.ts'

/** How often one piece of work outlives the loss of the database under it. */
const mostLosses = 10

export interface StorePort extends SurvivalPort {
  committed(outcome: Outcome): void
}

/**
 * The one way to this device's data. Work is done one piece after the other, each in a read-write transaction over all
 * tables, which keeps out the other tabs too: first what they wrote is taken in, then the work is done, then the rows that
 * follow from the roster are written. Only after that is on disk does the app hear of it [D1]. Should the database be gone,
 * what memory holds is written to a new one first: see `device/recover.ts`.
 */
export class Store {
  readonly db: KithDatabase
  readonly #port: StorePort
  #documents: OwnDocuments
  #unsent = 0
  #tellTabs: TellTabs | undefined
  readonly #watchers: Set<() => void> = new Set()
  #isStale = false
  #isConnected = true
  #isClosed = false
  #last: Promise<unknown> = Promise.resolve()

  private constructor(db: KithDatabase, documents: OwnDocuments, port: StorePort) {
    this.db = db
    this.#documents = documents
    this.#unsent = documents.outbox.size
    this.#port = port
    db.on('close', () => this.#disconnected())
  }

  static async open(db: KithDatabase, port: StorePort): Promise<Store> {
    const documents = await db.transaction('r', db.tables, async () => OwnDocuments.load(db))
    return new Store(db, documents, port)
  }

  /** From now on each commit is announced to the other tabs. */
  shareWith(tellTabs: TellTabs): void {
    this.#tellTabs = tellTabs
  }

  /** Takes in what other tabs wrote. */
  async refresh(): Promise<void> {
    await this.work(async () => undefined)
  }

  /** Calls `watcher` whenever what is kept in memory may look different, while it is level with the disk. */
  watch(watcher: () => void): () => void {
    const own = (): void => watcher() // So that each call has its own.
    this.#watchers.add(own)
    return () => {
      this.#watchers.delete(own)
    }
  }

  get documents(): OwnDocuments {
    return this.#documents
  }

  /** Changes that are on no server's disk yet. */
  get unsent(): number {
    return this.#unsent
  }

  /** Does a piece of work when those before it are done. A KithError or TypeError that it throws comes back as it is. */
  work<T>(body: (work: Work) => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new KithError('closed', 'This client was closed'))
    const result = this.#last.then(() => this.#transact(body))
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Does what needs none of the documents; again, when the database had to come back first. */
  apart<T>(work: () => PromiseLike<T>): Promise<T> {
    return this.#outlive(work, () => this.refresh())
  }

  /** Resolves when the work that was given before is done, whether it failed or not. */
  async idle(): Promise<void> {
    await this.#last
  }

  /** Refuses work from now on; resolves when what was given before is done. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#last
  }

  async #transact<T>(body: (work: Work) => Promise<T>): Promise<T> {
    try {
      return await this.#outlive(
        () => this.#commit(body),
        () => this.#comeBack(),
      )
    } catch (error) {
      this.#documents.outbox.doubt()
      await this.#takeBack()
      if (error instanceof KithError || error instanceof TypeError) throw error
      throw databaseFailure(error)
    }
  }

  /** Does it again when the database had to come back first; not for ever, as that may be lost again at once. */
  async #outlive<T>(attempt: () => PromiseLike<T>, comeBack: () => Promise<void>): Promise<T> {
    let isLost = false
    for (let left = mostLosses; ; left--) {
      try {
        if (isLost) await comeBack()
        return await attempt()
      } catch (error) {
        isLost = isLoss(this.db, error)
        if (left === 0 || !isLost) throw error
      }
    }
  }

  async #commit<T>(body: (work: Work) => Promise<T>): Promise<T> {
    const [result, outcome] = await this.db.transaction('rw', this.db.tables, async () => this.#attempt(body))
    this.#isStale = false
    this.#isConnected = true
    this.#unsent = this.#documents.outbox.size
    this.#port.committed(outcome)
    this.#tellWatchers()
    return result
  }

  /** Somebody deleted the database, or the platform took it away. */
  #disconnected(): void {
    if (this.#isClosed || !this.#isConnected) return
    this.#isConnected = false
    this.#port.interrupted()
    this.refresh().catch((error: unknown) => this.#port.failed(error))
  }

  async #comeBack(): Promise<void> {
    try {
      if (!(await survive(this.db, this.#documents, this.#port))) return
    } catch (error) {
      if (error instanceof KithError) this.#port.ended(error)
      throw error
    } finally {
      watchAnew()
    }
    await this.db.transaction('rw', this.db.tables, async () => {
      this.#documents = await OwnDocuments.load(this.db)
      this.#isStale = false
      const nothing = { happenings: [], isOwnProfileChanged: true, hasWritten: true, isChanged: true }
      const people = new Map((await this.db.people.toArray()).map(row => [row.id, row]))
      await this.#tellTabs?.(this.db, { ...nothing, people })
    })
    this.#port.restored()
  }

  /** Memory is ahead of the disk: it is loaded again, now if that works, else before the next piece of work. */
  async #takeBack(): Promise<void> {
    if (!this.#isStale) return
    try {
      await this.db.transaction('r', this.db.tables, async () => this.#load())
      this.#tellWatchers()
    } catch {
      // The error that led here says what is wrong; `#isStale` sees to the rest.
    }
  }

  #tellWatchers(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  async #attempt<T>(body: (work: Work) => Promise<T>): Promise<[T, Outcome]> {
    const people = new People(this.db)
    const hasNews = await this.#takeNews()
    const unsentBefore = this.#documents.outbox.size
    let isOwnProfileChanged = false
    let hasWritten = false
    const touched = new Set<string>()
    const result = await body({
      db: this.db,
      documents: this.#documents,
      people,
      willChange: () => {
        this.#isStale = true
      },
      reload: async () => {
        this.#documents = await OwnDocuments.load(this.db)
        return this.#documents
      },
      touch: keys => addUsers(touched, keys),
      touchUsers: ids => {
        for (const id of ids) touched.add(id)
      },
      wrote: () => {
        hasWritten = true
      },
      ownProfileChanged: () => {
        isOwnProfileChanged = true
      },
    })
    await this.#followRoster(people, touched)
    await this.#documents.compactIfLong(this.db)
    const changed = await people.store()
    if (people.changedHands) this.#documents.hands = people.changedHands
    await this.#documents.followOutbox(this.db)
    const isChanged = this.#isStale || this.#documents.outbox.size !== unsentBefore
    const { happenings } = people
    const outcome = { people: changed, happenings, isOwnProfileChanged, hasWritten, isChanged }
    await this.#tellTabs?.(this.db, outcome)
    return [result, { ...outcome, isOwnProfileChanged: isOwnProfileChanged || hasNews }]
  }

  /** Whether the own profile was changed by another tab. */
  async #takeNews(): Promise<boolean> {
    if (this.#isStale || !(await this.#documents.takeNews(this.db))) {
      await this.#load()
      return true
    }
    this.#documents.roster.changedKeys() // The tab that wrote them has written their rows too.
    return this.#documents.profile.changedKeys().length > 0
  }

  async #load(): Promise<void> {
    const documents = await OwnDocuments.load(this.db)
    if (documents.writer !== this.#documents.writer) throw new DatabaseLost()
    this.#documents = documents
    this.#isStale = false
  }

  /** Brings the rows of those touched level with the roster. */
  async #followRoster(people: People, touched: Set<string>): Promise<void> {
    addUsers(touched, this.#documents.roster.changedKeys())
    this.#documents.profile.changedKeys()
    if (touched.size === 0) return
    await people.load(touched)
    people.setFacts(this.#documents.roster.view, touched)
  }
}
