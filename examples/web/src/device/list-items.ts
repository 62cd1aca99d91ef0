import type { Contact } from '@kith/client'
import type { KeptMessage } from '../devices/kept-messages.ts'
import { nameOf } from './contact-names.ts'

/** A row of the list. The object stays the same while it looks the same, so that it does not render again. */
export interface ListItem {
  id: string
  contact: Contact
  /** The letter of the first row with that letter; absent in the other rows. */
  letter: string | undefined
  lastMessage: KeptMessage | undefined
}

const itemByContact = new WeakMap<Contact, ListItem>()

/** The rows of sorted contacts. */
export function listItems(contacts: readonly Contact[], messages: readonly KeptMessage[]): ListItem[] {
  const lastByPerson = new Map(messages.map(message => [message.with, message]))
  let before: string | undefined
  return contacts.map(contact => {
    const letter = letterOf(contact)
    const isNew = letter !== before
    before = letter
    return itemOf(contact, isNew ? letter : undefined, lastByPerson.get(contact.id))
  })
}

function itemOf(contact: Contact, letter: string | undefined, lastMessage: KeptMessage | undefined): ListItem {
  const known = itemByContact.get(contact)
  if (known && known.letter === letter && known.lastMessage === lastMessage) return known
  const item = { id: contact.id, contact, letter, lastMessage }
  itemByContact.set(contact, item)
  return item
}

/** The first letter without its marks, in capitals; `#` for anything else. */
function letterOf(contact: Contact): string {
  const first = /^[\p{P}\p{S}\p{Z}\p{C}]*(\p{L})/u.exec(nameOf(contact))?.[1]
  return first?.normalize('NFD').charAt(0).toLocaleUpperCase() ?? '#'
}
