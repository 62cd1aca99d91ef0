import type { DeviceStore } from '../database/store.ts'
import { type Matches, searchText } from './contact-filter.ts'
import { type Contact, keepContact, listContacts, readListed } from './contacts.ts'

interface Entry {
  readonly contact: Contact
  /** Made when it is first searched. */
  text?: string
}

/** More rows than this are read with all others, in one request. */
const mostReadAlone = 500

/**
 * The listed rows in memory, so that a list of thousands is filtered within a frame: to read and decode them takes any storage
 * longer. Nothing is read before the first question, and then only what changed since the last one.
 */
export class ContactIndex {
  readonly #store: DeviceStore
  /** In the order of the user ids. */
  #entries: Map<string, Entry> = new Map()
  /** Rows that may be others in the database by now. */
  #stale: Set<string> | 'all' = 'all'
  #reading: Promise<void> = Promise.resolve()

  constructor(store: DeviceStore) {
    this.#store = store
  }

  /** These rows may be others in the database now. */
  mark(ids: Iterable<string> | 'many'): void {
    if (this.#stale === 'all') return
    if (ids === 'many') this.#stale = 'all'
    else for (const id of ids) this.#stale.add(id)
  }

  /** The rows that match, by user id. Rejects with `database-failed` when the database cannot be read. */
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
    this.#stale = new Set() // What changes from here on is read by the next question.
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
        this.#entries.set(id, entryOf(contact, before)) // In its place.
      else added.push(contact)
    }
    if (added.length > 0) this.#sort([...[...this.#entries.values()].map(({ contact }) => contact), ...added])
  }

  #sort(contacts: Contact[]): void {
    const sorted = contacts.sort((a, b) => (a.id < b.id ? -1 : 1))
    this.#entries = new Map(sorted.map(contact => [contact.id, entryOf(contact, this.#entries.get(contact.id))]))
  }
}

/** A row that is as before stays the same object. */
function entryOf(now: Contact, before: Entry | undefined): Entry {
  const contact = keepContact(before?.contact, now)
  return before && contact === before.contact ? before : { contact }
}
