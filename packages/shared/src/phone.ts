// Phone numbers as user ids. A wrong answer here shows somebody's private data to a stranger, so a text is read in every way
// in which it can be meant, and gives an id only if all readings agree:
//
//   +44 20 7946 0123, 0044 20 …     international, nothing else
//   011 44 20 …, with region US     international, by the region's own prefix
//   442079460123                    international without its +, and national if a region is given
//   020 7946 0123, (020) 7946 …     national, so only with a region

import {
  type CountryCode,
  getCountryCallingCode,
  isSupportedCountry,
  Metadata,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max'
import { parseUserId } from './user-id.ts'

/** A number in E.164 form with `+`, which is a user id as it stands, or why there is none. */
export type PhoneNumberResult =
  | { id: string }
  | { reason: 'malformed' | 'too-long' | 'not-a-phone-number' | 'ambiguous' }

/** Whether `region` is one that phone numbers can be read for: two capital letters of ISO 3166, such as `GB`. */
export function isSupportedRegion(region: string): boolean {
  return isSupportedCountry(region)
}

/**
 * Turns an entry of a phone book into the user id of that line, such as `+442079460123`. Digits are read as an
 * international number first, as a national one only if the app names the `region` that its phone book was written in.
 * Digits of every script, `tel:` and the usual separators are understood. An extension (`x12`, `;ext=55`) is dropped:
 * the account is the line's. Nothing is picked out of prose. An id comes back unchanged, whatever the region.
 *
 * - `malformed`, `too-long`: the raw text, as for user ids.
 * - `ambiguous`: a number, but whose isn't certain: two countries have it; or it is national and no region is given (any 6
 *   to 15 digits without `+` that are no international number); or it lacks its area code; or the text holds several.
 *   The app can ask for it with `+`.
 * - `not-a-phone-number`: all else, also a number that no country, or not this region, assigns.
 *
 * Throws a `TypeError` if the region isn't supported, and nothing else, whatever the text.
 */
export function normalisePhoneNumber(input: string, options: { region?: string | undefined } = {}): PhoneNumberResult {
  const { region } = options
  if (region !== undefined && !isSupportedCountry(region))
    throw new TypeError(`Unknown phone region: ${String(region)}`)
  const raw = parseUserId(input)
  if ('reason' in raw) return raw

  const text = inPlainCharacters(raw.id).replace(/^tel: */i, '')
  if (holdsSeveral(text)) return { reason: 'ambiguous' }
  const written = text.replace(extension, '')
  if (!phoneNumber.test(written)) return { reason: 'not-a-phone-number' }
  // 0221/9999123 has its slash after the area code; 0221 9999123/24 names two lines.
  const beforeSlash = /^[^/]+(?=\/)/.exec(written)?.[0]
  if (beforeSlash && readings(beforeSlash, region).size > 0) return { reason: 'ambiguous' }

  const found = readings(written, region)
  const [id, ...others] = found
  if (id !== undefined) return others.length > 0 || id === uncertain ? { reason: 'ambiguous' } : { id }
  const lacksRegion = region === undefined && !internationalStyle.test(written)
  return { reason: lacksRegion && /^\d{6,15}$/.test(digitsOf(written)) ? 'ambiguous' : 'not-a-phone-number' }
}

const phoneNumber = /^\(? *\+?(?=[\d(])[\d ().\-/]+$/
const internationalStyle = /^\(? *(?:\+|00)/
const extension = / *(?:;ext=|;? *(?:ext(?:ension|n)?|x|#)[.:]? *|[,;]+ *)\d{1,6}#?$/i

/** Stands for the id when the digits are a number of the region, but the way they are written says otherwise. */
const uncertain = '?'

function readings(written: string, region: CountryCode | undefined): Set<string> {
  const digits = digitsOf(written)
  const ids = new Set<string | undefined>()
  if (written.includes('+')) {
    ids.add(international(digits)?.number)
  } else {
    if (region) ids.add(international(withoutInternationalPrefix(digits, region))?.number)
    if (internationalStyle.test(written)) ids.add(international(digits.slice(2))?.number)
    else addReadingsWithoutPrefix(ids, written, region)
  }
  ids.delete(undefined)
  return ids as Set<string>
}

function addReadingsWithoutPrefix(
  ids: Set<string | undefined>,
  written: string,
  region: CountryCode | undefined,
): void {
  const bare = internationalWithoutPlus(written)
  ids.add(bare)
  const national = region && nationalNumber(digitsOf(written), region)
  if (!national || national.number === bare) return
  // 18005550001 is a line in the USA, though a free-phone number in India has the same digits.
  if (bare && !personalTypes.has(national.getType())) return
  ids.add(isOfRegion(national, written) ? national.number : uncertain)
}

/** The types of number that a person has. A number reserved for fiction has none. */
const personalTypes = new Set(['MOBILE', 'FIXED_LINE', 'FIXED_LINE_OR_MOBILE', 'VOIP', 'PERSONAL_NUMBER', undefined])

function international(digits: string): PhoneNumber | undefined {
  return assigned(parsePhoneNumberFromString(`+${digits}`, { extract: false }))
}

/** Unlike after a `+`, nothing may stand before the country's code, in it or be left out: not (415) …, 415-555-2671, 0415 …. */
function internationalWithoutPlus(written: string): string | undefined {
  const digits = digitsOf(written)
  const number = international(digits)
  if (number?.number !== `+${digits}`) return undefined
  const [firstGroup] = written.split(/\D/)
  return firstGroup === digits || firstGroup === number.countryCallingCode ? number.number : undefined
}

function withoutInternationalPrefix(digits: string, region: CountryCode): string {
  const metadata = new Metadata()
  metadata.selectNumberingPlan(region)
  const prefix = new RegExp(`^(?:${metadata.numberingPlan?.IDDPrefix() ?? '00'})`)
  return prefix.test(digits) ? digits.replace(prefix, '') : ''
}

function nationalNumber(digits: string, region: CountryCode): PhoneNumber | undefined {
  const number = assigned(parsePhoneNumberFromString(digits, { defaultCountry: region, extract: false }))
  // Another country's number had the region's international prefix, which is a reading of its own.
  return number?.countryCallingCode === getCountryCallingCode(region) ? number : undefined
}

/** Whether a text that has no trunk 0 where the region's people write one, or has foreign groups, is theirs all the same. */
function isOfRegion(national: PhoneNumber, written: string): boolean {
  const inFull = national.formatNational({ nationalPrefix: false }) // Without the trunk prefix only where people may omit it.
  const trunkLength = digitsOf(inFull).length - national.nationalNumber.length
  const lacksTrunk = trunkLength > 0 && digitsOf(written) === national.nationalNumber
  // 222222 in Germany is a neighbour's number in the same town, not one of the area 02222.
  if (lacksTrunk && national.nationalNumber.length < 9) return false
  // (415) 555-2671 in Brazil is a line in San Francisco, not (41) 5555-2671. In Colombia 310 555 2671 is the local style.
  if (national.countryCallingCode === '1' || !northAmericanStyle.test(written)) return true
  if (!international(`1${digitsOf(written)}`)) return true
  return !lacksTrunk && hasGroupEndingAt(trunkLength + 3, inFull)
}

const northAmericanStyle = /^(?:\(\d{3}\)|\d{3})[ .-]*\d{3}[ .-]\d{4}$/

function assigned(number: PhoneNumber | undefined): PhoneNumber | undefined {
  if (!number || !(number.isValid() || reservedForFiction.test(number.number))) return undefined
  // E.164 allows 15 digits; Germany assigned a few numbers of more.
  if (digitsOf(number.number).length > 15) return undefined
  // What leaves here is an id, so reading it again must give it again.
  return parsePhoneNumberFromString(number.number, { extract: false })?.number === number.number ? number : undefined
}

// Ofcom's numbers for use in TV and radio drama, so far as the metadata leave them out: nobody's, and in everybody's examples.
const reservedForFiction = /^\+44(?:7700900|1632960|115496\d)\d{3}$/

function hasGroupEndingAt(position: number, formatted: string): boolean {
  let end = 0
  return (formatted.match(/\d+/g) ?? []).some(group => {
    end += group.length
    return end === position
  })
}

function holdsSeveral(text: string): boolean {
  // With only a space between them, they are known by being too long together for one number (E.164: 15 digits).
  const isTooLong = phoneNumber.test(text) && digitsOf(text).length > 15
  const pieces = text.split(isTooLong ? /[ /]/ : /[,;|&/]| (?=\(?\+)| (?:and|or|und|oder|et|ou|y|o|e) /i)
  return pieces.filter(piece => phoneNumber.test(piece.trim()) && digitsOf(piece).length >= 7).length > 1
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '')
}

/** ASCII for the digits and separators of every script, and without the invisible marks that phones copy along. */
function inPlainCharacters(text: string): string {
  return text
    .replace(/(?!\u202e)\p{Cf}/gu, '') // Digits after a right-to-left override are shown to people in another order.
    .replace(/\p{Nd}/gu, digit => String(digitValue(digit)))
    .replace(/[\p{Pd}\u2212\u30fc]/gu, '-')
    .replace(/\p{Zs}/gu, ' ')
    .replace(/[\uff0b\uff08\uff09\uff0e\uff0f]/g, fullWidth => String.fromCharCode(fullWidth.charCodeAt(0) - 0xfee0))
    .trim()
}

/** Unicode keeps the digits of a script in one run from 0 to 9, and a run may follow upon another. */
function digitValue(digit: string): number {
  const codePoint = digit.codePointAt(0) ?? 0
  let before = 0
  while (/\p{Nd}/u.test(String.fromCodePoint(codePoint - before - 1))) before++
  return before % 10
}
