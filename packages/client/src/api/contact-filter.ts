import type { Level, LevelNames } from './app-types.ts'
import { checkBoolean, checkIsObject, checkText } from './arguments.ts'
import type { Contact } from './contacts.ts'
import { checkLevel } from './levels.ts'

/** Which rows `getContacts` and `contacts` return: the rows to which every given condition applies. */
export interface ContactFilter<L extends string = never> {
  isContact?: boolean
  isSubscribed?: boolean
  isBlocked?: boolean
  hasJoined?: boolean
  /** Only users to whom this level is granted. */
  level?: Level<L>
  /**
   * Words that must all occur in the label, the user id or a text field, in any order. Case and accents are ignored: `zoe`
   * finds Zoë.
   */
  query?: string
}

const facts = ['isContact', 'isSubscribed', 'isBlocked', 'hasJoined'] as const

/** A filter in the form in which it is applied. `text` returns the {@link searchText} of a contact. */
export type Matches = (contact: Contact, text: (contact: Contact) => string) => boolean

/** Throws a `TypeError` for a wrong filter. */
export function contactFilter(filter: unknown, names: LevelNames): Matches {
  checkIsObject(filter, 'filter', [...facts, 'level', 'query'])
  const { level, query, ...wanted } = filter as ContactFilter<string>
  const set = facts.filter(fact => wanted[fact] !== undefined)
  for (const fact of set) checkBoolean(wanted[fact], `filter.${fact}`)
  const number = level === undefined ? undefined : checkLevel(level, names, 'filter.level')
  const words = query === undefined ? [] : wordsOf(checkText(query, 'filter.query'))
  return (contact, text) =>
    set.every(fact => contact[fact] === wanted[fact]) &&
    (number === undefined || contact.levels.includes(number)) &&
    (words.length === 0 || words.every(word => text(contact).includes(word)))
}

/** The text in which a search looks. */
export function searchText({ id, label, fields }: Contact): string {
  const texts = Object.values(fields).filter(value => typeof value === 'string')
  return plain([label ?? '', id, ...texts].join('\n'))
}

function wordsOf(query: string): string[] {
  return plain(query)
    .split(/\s+/u)
    .filter(word => word !== '')
}

/**
 * Without case and accents. Upper case is the same at each place of a word, and lower case is not: Greek has a final sigma. ẞ
 * has no upper case of its own, so lower case comes first.
 */
function plain(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().toUpperCase()
}
