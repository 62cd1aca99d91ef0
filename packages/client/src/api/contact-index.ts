import type { DeviceStore } from '../database/store.ts'
import { type Matches, searchText } from './contact-filter.ts'
import { type Contact, keepContact, listContacts, readListed } from './contacts.ts'

interface Entry {
  readonly contact: Contact
  /** Computed at the first search. */
  text?: string
}

/** If more rows than this changed, all rows are read in one request. */
const mostReadAlone = 500

/**
 * The listed rows in memory, so that a list of thousands is filtered within a frame; reading and decoding the rows takes longer
 * on any storage. The first query reads all rows, and later queries read only the rows that changed.
 */
export class ContactIndex {
  readonly #store: DeviceStore
  /** In the order of the user ids. */
  #entries: Map<string, Entry> = new Map()
  /** Rows that may have changed in the database. */
  #stale: Set<string> | 'all' = 'all'
  #reading: Promise<void> = Promise.resolve()

  constructor(store: DeviceStore) {
    this.#store = store
  }

  /** Marks rows that may have changed in the database. */
  mark(ids: Iterable<string> | 'many'): void {
    if (this.#stale === 'all') return
    if (ids === 'many') this.#stale = 'all'
    else for (const id of ids) this.#stale.add(id)
  }

  /** Resolves to the rows that match, ordered by user id. Rejects with `database-failed` when the database cannot be read. */
  async find(matches: Matches): Promise<Contact[]> {
    this.#reading = this.#reading.catch(() => undefined).then(() => this.#read())
    await this.#reading
    const textOf = (contact: Contact): string => {
      const entry = this.#entries.get(contact.id) as Entry
      entry.text ??= searchText(contact)
      return entry.text
    }
    const found: Contact[] = []
    for (const { contact } of this.#entries.values()) if (matches(contact, textOf)) found.push(contact)
    return found
  }

  async #read(): Promise<void> {
    const stale = this.#stale
    if (stale !== 'all' && stale.size === 0) return
    this.#stale = new Set() // The next query reads later changes.
    try {
      const isWhole = stale === 'all' || stale.size > mostReadAlone
      if (isWhole) this.#sort(await this.#store.use(listContacts))
      else await this.#readAlone([...stale])
    } catch (error) {
      this.#stale = 'all'
      throw error
    }
  }

  async #readAlone(ids: readonly string[]): Promise<void> {
    const listed = new Map((await this.#store.use(db => readListed(db, ids))).map(contact => [contact.id, contact]))
    const added: Contact[] = []
    for (const id of ids) {
      const [contact, before] = [listed.get(id), this.#entries.get(id)]
      if (!contact) this.#entries.delete(id)
      else if (before)
        this.#entries.set(id, entryOf(contact, before)) // Keeps its position.
      else added.push(contact)
    }
    if (added.length > 0) this.#sort([...[...this.#entries.values()].map(({ contact }) => contact), ...added])
  }

  #sort(contacts: Contact[]): void {
    const sorted = contacts.sort((a, b) => (a.id < b.id ? -1 : 1))
    this.#entries = new Map(sorted.map(contact => [contact.id, entryOf(contact, this.#entries.get(contact.id))]))
  }
}

/** Returns `before` if the row is unchanged, so that its object stays the same. */
function entryOf(now: Contact, before: Entry | undefined): Entry {
  const contact = keepContact(before?.contact, now)
  return before && contact === before.contact ? before : { contact }
}
