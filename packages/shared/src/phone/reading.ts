// Which number the digits of an entry mean. Digits with a `+` or an exit code are international. All others may be national, or
// international without their `+`. With a region, the first of these rules that applies decides:
//
//   1. The region's own calling code before a mobile number of the region is a calling code.
//   2. If only one reading is valid, it is used.
//   3. If both are valid and one may be a mobile number, that one is used; if both may be, the national one.
//   4. Otherwise, it is ambiguous.

import { type CountryCode, getCountryCallingCode } from 'libphonenumber-js/max'
import { withoutExitCode } from './exit-codes.ts'
import { mayLackAreaCode } from './local-lengths.ts'
import { type Found, internationalNumber, mayBeWrittenInThrees, nationalNumber, type Reading } from './number.ts'
import { renumberedAbroad, renumberedWithin } from './renumbering.ts'
import { acrossBorder } from './territories.ts'
import { digitsOf } from './text.ts'

/** Reads digits and separators, as `isPhoneNumberText` accepts them. */
export function read(written: string, region: CountryCode | undefined): Found {
  const digits = digitsOf(written)
  if (written.includes('+')) return international(written, digits)
  const afterExitCode = region && withoutExitCode(digits, region)
  const abroad = afterExitCode === undefined ? 'none' : international(written, afterExitCode)
  if (/^[( ]*00/.test(written)) {
    // 00 is understood in all regions, and some regions' own exit codes begin with it: 001 44 … in Hong Kong.
    const anywhere = agreed(international(written, digits.slice(2)), abroad)
    return agreed(anywhere, (region && acrossBorder(digits, region)) ?? 'none')
  }
  if (abroad !== 'none') return abroad
  return region ? readInRegion(written, digits, region) : readAnywhere(written, digits)
}

/** The number with these digits, the last ones of `written`, after the `+`. */
function international(written: string, digits: string): Found {
  const number = internationalNumber(digits) ?? renumberedAbroad(digits) ?? 'none'
  const [, afterZero] = zeroInBrackets.exec(written) ?? []
  if (afterZero === undefined) return number
  // +44 (0)20 … shows a trunk prefix, +39 (0)6 … a zero of the number, and +39 (0)393 … may mean either.
  const rest = digitsOf(afterZero)
  return agreed(number, internationalNumber(digits.slice(0, -1 - rest.length) + rest) ?? 'none')
}

const zeroInBrackets = /\d\D*\( *0 *\)(.*)$/

function agreed(one: Found, other: Found): Found {
  if (one === 'none') return other
  if (other === 'none') return one
  return one !== 'ambiguous' && other !== 'ambiguous' && one.id === other.id ? one : 'ambiguous'
}

function readAnywhere(written: string, digits: string): Found {
  const abroad = withoutPlus(written, digits)
  if (isWrittenAsInternational(written, digits, abroad)) return abroad
  return /^\d{6,15}$/.test(digits) ? 'ambiguous' : 'none'
}

function readInRegion(written: string, digits: string, region: CountryCode): Found {
  const own = international(written, digits)
  if (mayBeMobile(own) && own.callingCode === getCountryCallingCode(region)) return own

  const home = national(digits, region)
  // 222222 in Germany is a number in the same town, not one of the area 02222. 683 4123 in the USA is not in Niue.
  if (!mayBeMobile(home) && isLocal(home, digits, region)) return 'ambiguous'
  const abroad = withoutPlus(written, digits)
  const found = chosen(home, isAreaCodeInBrackets(written, abroad) ? 'none' : abroad, digits)
  if (found === 'none' || found === 'ambiguous') return found
  const fits =
    found === abroad ? isWrittenAsInternational(written, digits, found) : isWrittenAsNational(written, digits, found)
  return fits ? found : 'ambiguous'
}

function national(digits: string, region: CountryCode): Found {
  return (
    acrossBorder(digits, region) ??
    nationalNumber(digits, region) ??
    renumberedWithin(getCountryCallingCode(region), digits) ??
    'none'
  )
}

/** Rules 2 to 4. */
function chosen(home: Found, abroad: Found, digits: string): Found {
  if (home === 'none') return abroad
  if (abroad === 'none') return home
  if (home === 'ambiguous' || abroad === 'ambiguous') return 'ambiguous'
  if (home.id === abroad.id) return home
  if (home.mayBeMobile && !home.isRenumbered) return home
  // An old form of one number and the current form of another: the phone book may contain either.
  if (home.isRenumbered !== abroad.isRenumbered) return 'ambiguous'
  if (home.mayBeMobile) return home
  // 18005550001 is a free-phone number in India and in the USA. 84951234567 in Russia, whose trunk prefix is 8, is a line in
  // Moscow, though the digits are a mobile number of Vietnam.
  return abroad.mayBeMobile && digits === nationalDigits(home) ? abroad : 'ambiguous'
}

function mayBeMobile(found: Found): found is Reading {
  return found !== 'none' && found !== 'ambiguous' && found.mayBeMobile
}

/** Whether the digits may lack their area code. 359 1234 in the Bahamas does not: the plan added the only one. */
function isLocal(home: Found, digits: string, region: CountryCode): boolean {
  if (!mayLackAreaCode(digits, region)) return false
  if (home === 'none' || home === 'ambiguous') return true
  return home.isRenumbered || digits.endsWith(nationalDigits(home))
}

function nationalDigits({ id, callingCode }: Reading): string {
  return id.slice(1 + callingCode.length)
}

/** The international number whose `+` was omitted. Nothing else may be added or missing: not 44 020 …, but 44 (0)20 …. */
function withoutPlus(written: string, digits: string): Found {
  if (zeroInBrackets.test(written)) return international(written, digits)
  const number = internationalNumber(digits)
  if (number) return number.id === `+${digits}` ? number : 'none'
  // An old form of 11 digits or fewer may be a national number of another country.
  const old = digits.length > 11 ? renumberedAbroad(digits) : undefined
  return old?.mayBeMobile ? old : 'none'
}

/** If the number is written in groups, they begin with the calling code: not (415) 555-2671, 415-555-2671. */
function isWrittenAsInternational(written: string, digits: string, abroad: Found): abroad is Reading {
  if (abroad === 'none' || abroad === 'ambiguous') return false
  const [firstGroup] = written.replace(/^\D+/, '').split(/\D/)
  return firstGroup === digits || firstGroup === abroad.callingCode
}

/** (495) 123-45-67 in Russia is a line in Moscow and can't be +49 51 23 45 67. */
function isAreaCodeInBrackets(written: string, abroad: Found): boolean {
  if (abroad === 'none' || abroad === 'ambiguous') return false
  const [, bracketed] = /^\((\d+)\)/.exec(written) ?? []
  return bracketed !== undefined && bracketed !== abroad.callingCode
}

/**
 * (415) 555-2671 in Brazil is a line in San Francisco, not (41) 5555-2671. In regions that write mobile numbers in such groups,
 * such as Turkey or Colombia, it is a national number.
 */
function isWrittenAsNational(written: string, digits: string, home: Reading): boolean {
  if (home.callingCode === '1' || !northAmericanStyle.test(written)) return true
  if (mayBeWrittenInThrees(home)) return true
  return !home.isRenumbered && internationalNumber(`1${digits}`) === undefined
}

const northAmericanStyle = /^(?:\(\d{3}\)|\d{3})[ .-]*\d{3}[ .-]\d{4}$/
