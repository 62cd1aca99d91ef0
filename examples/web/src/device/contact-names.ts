import type { Contact } from '@kith/client'
import { personName } from '../devices/name.ts'

/** The user's own name for them, otherwise their name, otherwise their id. */
export function nameOf({ id, label, fields }: Pick<Contact, 'id' | 'label' | 'fields'>): string {
  const { name } = fields
  return [label, name].find(isSeen) ?? personName(id)
}

/** Whether a name is visible: a name of only spaces and marks would be a row without a name. */
function isSeen(name: unknown): name is string {
  return typeof name === 'string' && /[^\p{C}\p{M}\p{Z}\p{Default_Ignorable_Code_Point}]/u.test(name)
}

const collator = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true })

export function namesInOrder(contacts: readonly Contact[]): Contact[] {
  return contacts
    .map(contact => ({ contact, name: nameOf(contact) }))
    .sort((a, b) => collator.compare(a.name, b.name))
    .map(({ contact }) => contact)
}

/** Whether all words of a search occur in a contact's names or id. */
export function matches(contact: Contact, search: string): boolean {
  const words = search.toLocaleLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const { name } = contact.fields
  const text = `${contact.label ?? ''} ${typeof name === 'string' ? name : ''} ${contact.id}`.toLocaleLowerCase()
  return words.every(word => text.includes(word))
}
