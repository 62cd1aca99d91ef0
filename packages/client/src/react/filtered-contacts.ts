import type { LevelNames } from '../api/app-types.ts'
import { type ContactFilter, contactFilter, type Matches, searchText } from '../api/contact-filter.ts'
import type { Contact } from '../api/contacts.ts'

type Rows = readonly Contact[] | undefined

/** The filtered rows of one component: the array stays the same while its rows are the same. */
export interface FilteredContacts {
  select(contacts: Rows, filter: ContactFilter<string>, names: LevelNames): Rows
}

/** Creates the cache of one component: an equivalent filter is not applied to the same rows again. */
export function filteredContacts(): FilteredContacts {
  let key: string | undefined
  let matches: Matches
  let from: Rows
  let shown: Rows
  return {
    select(contacts, filter, names) {
      const now = JSON.stringify([filter, names])
      if (now === key && contacts === from) return shown
      if (now !== key) matches = contactFilter(filter, names)
      key = now
      from = contacts
      const rows = contacts?.filter(contact => matches(contact, textOf))
      shown = isSame(shown, rows) ? shown : rows
      return shown
    },
  }
}

/** The search text of each row. An unchanged row is the same object, so its text is computed once for all searches. */
const texts = new WeakMap<Contact, string>()

function textOf(contact: Contact): string {
  const known = texts.get(contact)
  if (known !== undefined) return known
  const text = searchText(contact)
  texts.set(contact, text)
  return text
}

function isSame(a: Rows, b: Rows): boolean {
  return a?.length === b?.length && a?.every((contact, index) => contact === b?.[index]) === true
}
