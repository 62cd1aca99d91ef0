import type { Line } from './text/lines.ts'
import { looksLikeProperty } from './vcard/property.ts'

/** The format of a phone book: vCard of any version, or CSV. */
export type PhoneBookFormat = 'vcard' | 'csv'

/** Whether one of the first lines of a file shows that it is vCard: it begins a card, or is the first line and a property. */
export function saysVcard({ text }: Line, isFirst: boolean): boolean {
  const plain = text.replace(/^\xef\xbb\xbf/, '').trim()
  return /^BEGIN\s*:\s*VCARD/i.test(plain) || (isFirst && plain.includes(':') && looksLikeProperty(plain))
}

/** A file is CSV if none of its first lines, this many, shows that it is vCard. */
export const formatLines = 20
