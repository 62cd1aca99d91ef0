import { addUsers } from '../documents/changed-users.ts'
import type { DeviceDatabase, Tables } from './contract.ts'
import type { OwnDocuments } from './own-documents.ts'
import { People } from './people.ts'
import { repeatedly } from './repeatedly.ts'
import type { Outcome, Work } from './work.ts'

export interface TransactionsPort {
  /** This is about to be committed. */
  changing(outcome: Outcome): void
  committed(outcome: Outcome): void
  /** Memory is up to date with the disk again after a failure. */
  settled(): void
}

/**
 * The work on one open database. Pieces of work run one after the other, each in a read-write transaction over all tables,
 * which also excludes the other tabs. A transaction first applies the changes of other tabs, then does the work, then writes
 * the rows that are derived from the roster. Only after that is on disk is the app notified [D1].
 */
export abstract class Transactions {
  readonly db: DeviceDatabase
  readonly #port: TransactionsPort
  #documents: OwnDocuments
  #unsent: number
  #isStale = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(db: DeviceDatabase, documents: OwnDocuments, port: TransactionsPort) {
    this.db = db
    this.#documents = documents
    this.#unsent = documents.outbox.size
    this.#port = port
  }

  get documents(): OwnDocuments {
    return this.#documents
  }

  get unsent(): number {
    return this.#unsent
  }

  /** Runs a piece of work after all earlier ones. Rejects with a KithError or TypeError of `body` unchanged. */
  work<T>(body: (work: Work) => Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.#transact(body))
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Reads the documents. Call it in a transaction. */
  protected abstract load(db: Tables): Promise<OwnDocuments>

  /** Whether failed work may succeed if it is repeated immediately, because the platform failed. */
  protected abstract mayRepeat(error: unknown): Promise<boolean>

  /** Resolves when all earlier work has ended, whether it failed or not. */
  async idle(): Promise<void> {
    await this.#last
  }

  async #transact<T>(body: (work: Work) => Promise<T>): Promise<T> {
    try {
      return await repeatedly(
        () => this.#commit(body),
        error => this.mayRepeat(error),
      )
    } catch (error) {
      this.#documents.outbox.doubt()
      await this.#takeBack()
      throw error
    }
  }

  async #commit<T>(body: (work: Work) => Promise<T>): Promise<T> {
    const [result, outcome] = await this.db.transact('rw', db => this.#attempt(db, body))
    this.#isStale = false
    this.#unsent = this.#documents.outbox.size
    this.#port.committed(outcome)
    return result
  }

  /** Memory is ahead of the disk: it is loaded again, now if possible, otherwise before the next piece of work. */
  async #takeBack(): Promise<void> {
    if (!this.#isStale) return
    try {
      await this.db.transact('r', db => this.#load(db))
      this.#port.settled()
    } catch {
      // The original error is reported; `#isStale` makes the next piece of work load again.
    }
  }

  async #attempt<T>(db: Tables, body: (work: Work) => Promise<T>): Promise<[T, Outcome]> {
    const people = new People(db)
    const hasNews = await this.#takeNews(db)
    const unsentBefore = this.#documents.outbox.size
    let isOwnProfileChanged = false
    let hasWritten = false
    const touched = new Set<string>()
    const result = await body({
      db,
      documents: this.#documents,
      people,
      willChange: () => {
        this.#isStale = true
      },
      reload: async () => {
        this.#documents = await this.load(db)
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
    await this.#documents.compactIfLong(db)
    const changed = await people.store()
    if (people.changedHands) this.#documents.hands = people.changedHands
    await this.#documents.followOutbox(db)
    const isChanged = this.#isStale || this.#documents.outbox.size !== unsentBefore
    const { happenings } = people
    const outcome = { people: changed, happenings, isOwnProfileChanged, hasWritten, isChanged }
    this.#port.changing(outcome)
    return [result, { ...outcome, isOwnProfileChanged: isOwnProfileChanged || hasNews }]
  }

  /** Resolves to whether another tab changed the own profile. */
  async #takeNews(db: Tables): Promise<boolean> {
    if (this.#isStale || !(await this.#documents.takeNews(db))) {
      await this.#load(db)
      return true
    }
    this.#documents.roster.changedKeys() // The tab that wrote the changes has also written the rows.
    return this.#documents.profile.changedKeys().length > 0
  }

  async #load(db: Tables): Promise<void> {
    this.#documents = await this.load(db)
    this.#isStale = false
  }

  /** Updates the rows of the affected users from the roster. */
  async #followRoster(people: People, touched: Set<string>): Promise<void> {
    addUsers(touched, this.#documents.roster.changedKeys())
    this.#documents.profile.changedKeys()
    if (touched.size === 0) return
    await people.load(touched)
    people.setFacts(this.#documents.roster.view, touched)
  }
}
