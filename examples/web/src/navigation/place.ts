/** What a device shows. */
export interface Place {
  tab: Tab
  /** The person whose page covers the list of contacts. */
  person?: string
  /** Whether the conversation with that person is shown instead of the page. */
  isTalk?: true
  /** The dialog above the screen. */
  dialog?: DialogName
}

export type Tab = 'contacts' | 'profile' | 'settings'
export type DialogName = 'add' | 'import' | 'erase' | 'block' | 'add-device'

export const home: Place = { tab: 'contacts' }

/** The place to which Back leads; `undefined` from the first screen. */
export function parentOf({ tab, person, isTalk, dialog }: Place): Place | undefined {
  if (dialog !== undefined) return { tab, ...(person !== undefined && { person }), ...(isTalk && { isTalk }) }
  if (isTalk && person !== undefined) return { tab, person }
  if (person !== undefined || tab !== 'contacts') return home
  return undefined
}

/** Reads a place from the browser's history: any value gives a valid place. */
export function placeFrom(value: unknown): Place {
  const { tab, person, isTalk } = (value ?? {}) as Partial<Place>
  if (tab === 'profile' || tab === 'settings') return { tab }
  if (typeof person !== 'string') return home
  return { tab: 'contacts', person, ...(isTalk === true && { isTalk }) }
}
