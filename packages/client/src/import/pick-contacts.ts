import type { ContactEntry } from '@kith/shared/import'

/** The Contact Picker API, for which TypeScript has no types: https://w3c.github.io/contact-picker/ */
interface ContactsManager {
  select(properties: string[], options: { multiple: boolean }): Promise<PickedContact[]>
}

interface PickedContact {
  name?: (string | null)[]
  tel?: (string | null)[]
  email?: (string | null)[]
}

/**
 * Whether this browser has its own contact picker; Chrome on Android has one.
 *
 * @returns Whether `pickContacts` can show the picker.
 */
export function canPickContacts(): boolean {
  return contactsManager() !== undefined
}

/**
 * Shows the browser's contact picker. Resolves to an entry for each contact that the user picks (to none when the user
 * cancels), or to `undefined` if the browser has no picker. Call it in the handler of a click; otherwise it rejects with the
 * browser's error.
 */
export async function pickContacts(): Promise<ContactEntry[] | undefined> {
  const contacts = await contactsManager()?.select(['name', 'tel', 'email'], { multiple: true })
  return contacts?.map(entryOf)
}

function contactsManager(): ContactsManager | undefined {
  const { contacts } = (globalThis.navigator ?? {}) as { contacts?: ContactsManager }
  return typeof contacts?.select === 'function' ? contacts : undefined
}

function entryOf({ name = [], tel = [], email = [] }: PickedContact, index: number): ContactEntry {
  const given = textsOf(name)[0]
  const entry = { index, line: index + 1, phoneNumbers: textsOf(tel), emails: textsOf(email), diagnoses: [] }
  return given === undefined ? entry : { ...entry, name: given }
}

function textsOf(values: readonly (string | null)[]): string[] {
  return values.map(value => value?.trim() ?? '').filter(value => value !== '')
}
