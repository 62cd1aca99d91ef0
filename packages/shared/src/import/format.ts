import type { Line } from './text/lines.ts'
import { looksLikeProperty } from './vcard/property.ts'

export type PhoneBookFormat = 'vcard' | 'csv'

/**
 * Tells by its first lines whether a file is vCard or CSV: it is vCard if one of them begins a card, or the first is a
 * property, as in a file whose head is missing.
 */
export function formatOf(lines: readonly Line[]): PhoneBookFormat {
  const texts = lines.map(({ text }) => text.replace(/^\xef\xbb\xbf/, '').trim()).filter(text => text !== '')
  const isVcard = looksLikeProperty(texts[0] ?? '') || texts.some(text => /^BEGIN\s*:\s*VCARD/i.test(text))
  return isVcard ? 'vcard' : 'csv'
}

/** How many lines are enough to tell. */
export const formatLines = 20
