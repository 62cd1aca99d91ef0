// Phone numbers as user ids. A wrong result here would show a user's private data to a stranger. So a text gives an id only if
// it is certain whose number it is:
//
//   +44 20 7946 0123, 0044 20 …     international, nothing else
//   011 44 20 …, with region US     international, by the region's own exit code
//   442079460123                    international without its +, or national if a region is given
//   020 7946 0123, (020) 7946 …     national, so only with a region
//   7946 0123                       lacks its area code
//
// phone/text.ts converts an entry to plain characters, and phone/reading.ts decides what they mean. It uses phone/number.ts for
// data in the metadata, and phone/renumbering.ts, phone/territories.ts and phone/local-lengths.ts for data that they lack.

import { isSupportedCountry } from 'libphonenumber-js/max'
import { read } from './phone/reading.ts'
import { holdsSeveral, inPlainCharacters, isPhoneNumberText, withoutExtension, withoutMarks } from './phone/text.ts'
import { parseUserId } from './user-id.ts'

/** A number in E.164 form with `+`, which is a valid user id, or why there is none. */
export type PhoneNumberResult =
  | { id: string }
  | { reason: 'malformed' | 'too-long' | 'not-a-phone-number' | 'ambiguous' }

/** Whether `region` is supported: two capital letters of ISO 3166, such as `GB`. */
export function isSupportedRegion(region: string): boolean {
  return isSupportedCountry(region)
}

/**
 * Converts an entry of a phone book into the user id of that line, such as `+442079460123`. Digits are read as national
 * numbers only if the app passes the `region` in which its phone book was written. Digits of every script, `tel:`, the usual
 * separators and words in brackets are understood. An extension (`x12`, `;ext=55`) is dropped: the account is the line's.
 * Numbers are not extracted from prose. An id is returned unchanged, with any region.
 *
 * - `malformed`, `too-long`: about the raw text, as for user ids, but marks that phones put around a number are ignored.
 * - `ambiguous`: a number, but it is uncertain whose: two countries have it; or it is national and no region is given (any 6
 *   to 15 digits without `+` that are not an international number); or it lacks its area code; or the text contains several.
 *   The app can ask for it with `+`.
 * - `not-a-phone-number`: everything else, including a number that no country, or not this region, assigns.
 *
 * Throws a `TypeError` if the region is not supported; no text makes it throw.
 */
export function normalisePhoneNumber(input: string, options: { region?: string | undefined } = {}): PhoneNumberResult {
  const { region } = options
  if (region !== undefined && !isSupportedCountry(region))
    throw new TypeError(`Unknown phone region: ${String(region)}`)
  const raw = parseUserId(withoutMarks(input))
  if ('reason' in raw) return raw

  const text = inPlainCharacters(raw.id)
  if (holdsSeveral(text)) return { reason: 'ambiguous' }
  const written = withoutExtension(text)
  if (!isPhoneNumberText(written)) return { reason: 'not-a-phone-number' }
  // 0221/9999123 has its slash after the area code; 0221 9999123/24 stands for two lines.
  const beforeSlash = /^[^/]+(?=\/)/.exec(written)?.[0]
  if (beforeSlash && read(beforeSlash, region) !== 'none') return { reason: 'ambiguous' }

  const found = read(written, region)
  if (found === 'none') return { reason: 'not-a-phone-number' }
  return found === 'ambiguous' ? { reason: 'ambiguous' } : { id: found.id }
}
