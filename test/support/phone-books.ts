import { type ContactEntry, type PhoneBookFormat, PhoneBookReader } from '@kith/shared/import'

/** Returns the bytes of a text. With `binary`, each character becomes one byte. */
export function bytesOf(text: string, encoding: 'utf8' | 'binary' | 'utf16le' = 'utf8'): Uint8Array {
  return new Uint8Array(Buffer.from(text, encoding))
}

/** Reads a whole phone book, in pieces of `pieceBytes`. */
export function readAll(
  book: string | Uint8Array,
  { format, pieceBytes = 65_536 }: { format?: PhoneBookFormat; pieceBytes?: number } = {},
): { entries: ContactEntry[]; visited: number } {
  const bytes = typeof book === 'string' ? bytesOf(book) : book
  const reader = new PhoneBookReader(format)
  const entries: ContactEntry[] = []
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    entries.push(...reader.push(bytes.subarray(from, from + pieceBytes)))
  }
  entries.push(...reader.end())
  return { entries, visited: reader.visited }
}

/** Returns a card with these lines between BEGIN and END. */
export function card(...lines: string[]): string {
  return ['BEGIN:VCARD', ...lines, 'END:VCARD', ''].join('\r\n')
}

/** Returns the entry of a file that has exactly one. */
export function onlyEntry(book: string | Uint8Array): ContactEntry {
  const { entries } = readAll(book)
  if (entries.length !== 1) throw new Error(`${entries.length} entries instead of one`)
  return entries[0] as ContactEntry
}

/** Returns the problems of an entry, in words. */
export function reasonsOf({ diagnoses }: ContactEntry): string[] {
  return diagnoses.map(({ reason }) => reason)
}
