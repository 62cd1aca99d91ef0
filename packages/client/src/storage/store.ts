import { KithError, type RosterRoot, userOfKey } from '@kith/shared'
import type { KithDatabase, PersonRow } from './database.ts'
import type { ChangedKey } from './own-document.ts'
import { OwnDocuments } from './own-documents.ts'
import { type Happening, People } from './people.ts'

/** What a piece of work in the database may touch; it ends with the transaction. */
export interface Work {
  readonly db: KithDatabase
  readonly documents: OwnDocuments
  /** Loads the documents anew, when they were replaced in the database. */
  reload(): Promise<OwnDocuments>
  readonly people: People
  /** Call this before changing documents in memory: if the transaction then fails, they are loaded anew. */
  willChange(): void
  /** These keys of the roster look different now, though no update says so. */
  touch(keys: readonly ChangedKey[]): void
  touchUsers(ids: Iterable<string>): void
  /** Something stands in the outbox that was not there before. */
  wrote(): void
  /** The own profile changed elsewhere: tell the app. */
  ownProfileChanged(): void
}

/** What a piece of work left behind, once it is on disk. */
export interface Outcome {
  people: ReadonlyMap<string, PersonRow | undefined>
  happenings: readonly Happening[]
  isOwnProfileChanged: boolean
  /** There is something new to send. */
  hasWritten: boolean
  /** Something that is kept in memory changed: documents, or how much is unsent. */
  isChanged: boolean
}

/** Tells the other tabs what was done, inside the transaction that does it. */
export type TellTabs = (db: KithDatabase, outcome: Outcome) => Promise<void>

/**
 * The one way to this device's data. Work is done one piece after the other, each in a read-write transaction over all
 * tables, which keeps out the other tabs too: first what they wrote is taken in, then the work is done, then the rows that
 * follow from the roster are written. Only after that is on disk does the app hear of it [D1].
 */
export class Store {
  readonly db: KithDatabase
  readonly #onCommitted: (outcome: Outcome) => void
  #documents: OwnDocuments
  #unsent = 0
  #tellTabs: TellTabs | undefined
  readonly #watchers: Set<() => void> = new Set()
  #isStale = false
  #isClosed = false
  #last: Promise<unknown> = Promise.resolve()

  private constructor(db: KithDatabase, documents: OwnDocuments, unsent: number, onCommitted: (o: Outcome) => void) {
    this.db = db
    this.#documents = documents
    this.#unsent = unsent
    this.#onCommitted = onCommitted
  }

  static async open(db: KithDatabase, onCommitted: (outcome: Outcome) => void): Promise<Store> {
    const load = async (): Promise<[OwnDocuments, number]> => [await OwnDocuments.load(db), await db.outbox.count()]
    const [documents, unsent] = await db.transaction('r', db.tables, load)
    return new Store(db, documents, unsent, onCommitted)
  }

  /** From now on other tabs are told of what is done here. */
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
      const [result, outcome, unsent] = await this.db.transaction('rw', this.db.tables, async () => this.#attempt(body))
      this.#isStale = false
      this.#unsent = unsent
      this.#onCommitted(outcome)
      this.#tellWatchers()
      return result
    } catch (error) {
      await this.#takeBack()
      if (error instanceof KithError || error instanceof TypeError) throw error
      const cause = error instanceof Error ? error.message : String(error)
      throw new KithError('database-failed', `This device's database failed: ${cause}`, { cause: error })
    }
  }

  /** Memory is ahead of the disk: it is loaded anew, now if that works, else before the next piece of work. */
  async #takeBack(): Promise<void> {
    if (!this.#isStale) return
    try {
      this.#documents = await this.db.transaction('r', this.db.tables, async () => OwnDocuments.load(this.db))
      this.#isStale = false
      this.#tellWatchers()
    } catch {
      // The error that led here says what is wrong; `#isStale` sees to the rest.
    }
  }

  #tellWatchers(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  async #attempt<T>(body: (work: Work) => Promise<T>): Promise<[T, Outcome, number]> {
    const people = new People(this.db)
    const hasNews = await this.#takeNews()
    const unsentBefore = this.#tellTabs ? await this.db.outbox.count() : 0
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
    const unsent = await this.db.outbox.count()
    const isChanged = this.#isStale || unsent !== unsentBefore
    const { happenings } = people
    const outcome = { people: changed, happenings, isOwnProfileChanged, hasWritten, isChanged }
    await this.#tellTabs?.(this.db, outcome)
    return [result, { ...outcome, isOwnProfileChanged: isOwnProfileChanged || hasNews }, unsent]
  }

  /** Whether the own profile was changed by another tab. */
  async #takeNews(): Promise<boolean> {
    if (this.#isStale || !(await this.#documents.takeNews(this.db))) {
      this.#documents = await OwnDocuments.load(this.db)
      this.#isStale = false
      return true
    }
    this.#documents.roster.changedKeys() // The tab that wrote them has written their rows too.
    return this.#documents.profile.changedKeys().length > 0
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

function addUsers(users: Set<string>, keys: readonly ChangedKey[]): void {
  for (const { root, key } of keys) {
    const user = userOfKey(root as RosterRoot, key)
    if (user !== undefined) users.add(user)
  }
}
