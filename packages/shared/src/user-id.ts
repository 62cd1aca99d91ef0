import { utf8Length } from './limits.ts'

/** The maximum length of a user id, in bytes of UTF-8. */
const maxUserIdBytes = 128

/** A canonical user id, or why the text is not one. */
export type UserIdResult = { id: string } | { reason: 'malformed' | 'too-long' }

/**
 * Converts text that a person typed or an app passed into the one form in which a user id is stored, compared and sent:
 * Unicode NFC, no white space at the ends, 1 to 128 bytes of well-formed UTF-8, no control characters, not `.` or `..`
 * (which URL paths resolve), no bidi controls. A canonical id is returned unchanged. Never throws.
 *
 * `malformed` also means that nothing was left after trimming. White space is what `String.prototype.trim` removes.
 *
 * @param input - The text.
 * @returns The id, or why there is none.
 */
export function parseUserId(input: string): UserIdResult {
  // Normalising an ill-formed string keeps its lone surrogates, and UTF-8 would turn all of them into the same U+FFFD.
  if (hasLoneSurrogate(input)) return { reason: 'malformed' }
  const trimmed = input.trim()
  if (trimmed.length > maxCodeUnitsBeforeNfc) return { reason: 'too-long' }
  const id = trimmed.normalize('NFC')
  if (id === '' || id === '.' || id === '..' || controls.test(id)) return { reason: 'malformed' }
  return utf8Length(id) > maxUserIdBytes ? { reason: 'too-long' } : { id }
}

/**
 * Whether a value is a user id in exactly its canonical form, as `parseUserId` returns it. Never throws.
 *
 * @param value - Any value.
 * @returns Whether it is a canonical user id.
 */
export function isUserId(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > maxUserIdBytes) return false
  // Printable ASCII is its own NFC, and contains no controls. This is fast: a server checks each id of a phone book several
  // times.
  if (printable.test(value)) return value !== '.' && value !== '..'
  const result = parseUserId(value)
  return 'id' in result && result.id === value
}

/** Printable ASCII without spaces at its ends. */
const printable = /^[!-~](?:[ -~]*[!-~])?$/

// Bidi controls, U+202A to U+202E and U+2066 to U+2069, show the characters after them in another order, so that one id looks
// like another. The marks U+200E, U+200F and U+061C only order the characters between them; Arabic and Hebrew texts use them.
const controls = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u

// A composed character has at least two bytes, and comes from at most six code units. So a longer text never fits, and a
// hostile megabyte is refused without normalising it.
const maxCodeUnitsBeforeNfc = 6 * maxUserIdBytes

function hasLoneSurrogate(text: string): boolean {
  return /\p{Cs}/u.test(text)
}
