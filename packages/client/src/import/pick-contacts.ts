import type { ContactEntry } from '@kith/shared/import'

/** The Contact Picker API, which TypeScript does not know: https://w3c.github.io/contact-picker/ */
interface ContactsManager {
  select(properties: string[], options: { multiple: boolean }): Promise<PickedContact[]>
}

interface PickedContact {
  name?: (string | null)[]
  tel?: (string | null)[]
  email?: (string | null)[]
}

/**
 * Whether this browser can show its own contact picker; Chrome on Android can.
 *
 * @returns Whether `pickContacts` shows anything.
 */
export function canPickContacts(): boolean {
  return contactsManager() !== undefined
}

/**
 * Shows the browser's contact picker. Resolves to an entry for each contact that the user picks, none when the user cancels, and
 * to `undefined` where the browser has no picker. Call it when the user clicks; rejects with the browser's error otherwise.
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
