// Data in the metadata of libphonenumber: which numbers are assigned, and which of them may be mobile numbers.

import {
  type CountryCode,
  getCountryCallingCode,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max'

/** One reading of the digits of an entry. */
export interface Reading {
  /** E.164 with `+`. */
  id: string
  callingCode: string
  mayBeMobile: boolean
  /** The digits as written are no longer a number: a renumbering was applied. */
  isRenumbered: boolean
}

/** `ambiguous`: a number, but it is uncertain whose. `none`: no assigned number. */
export type Found = Reading | 'ambiguous' | 'none'

/** The number with these digits after the `+`; a trunk prefix after the calling code is ignored, as in +44 (0)20. */
export function internationalNumber(digits: string): Reading | undefined {
  return assigned(parsePhoneNumberFromString(`+${digits}`, { extract: false }))
}

/** The number of these digits in the region's own plan, with or without the trunk prefix. */
export function nationalNumber(digits: string, region: CountryCode): Reading | undefined {
  const number = assigned(parsePhoneNumberFromString(digits, { defaultCountry: region, extract: false }))
  // Digits with the region's exit code gave another country's number; that is a separate reading.
  return number?.callingCode === getCountryCallingCode(region) ? number : undefined
}

/** Whether (212) 345-6789 may be how people write the number: a group ends there, and no trunk prefix is missing. */
export function mayBeWrittenInThrees({ id, callingCode, mayBeMobile }: Reading): boolean {
  const number = parsePhoneNumberFromString(id)
  const groups = number?.formatInternational().slice(1 + callingCode.length) ?? ''
  const isComplete = number?.formatNational().replace(/\D/g, '') === number?.nationalNumber
  // People and spreadsheets omit the trunk prefix of mobile numbers.
  return /^(?:\D*\d){3}\D+\d/.test(groups) && (mayBeMobile || isComplete)
}

function assigned(number: PhoneNumber | undefined): Reading | undefined {
  if (!number || !(number.isValid() || reservedForFiction.test(number.number))) return undefined
  // E.164 allows 15 digits; Germany assigned a few longer numbers.
  if (number.number.length > 16) return undefined
  // The result is an id, so reading it again must give the same id.
  if (parsePhoneNumberFromString(number.number, { extract: false })?.number !== number.number) return undefined
  return {
    id: number.number,
    callingCode: number.countryCallingCode,
    mayBeMobile: mayBeMobile(number),
    isRenumbered: false,
  }
}

/** In North America, people keep their number when they change from a fixed line to a mobile phone, so each may be one. */
function mayBeMobile(number: PhoneNumber): boolean {
  const type = number.getType() ?? ''
  if (type === 'FIXED_LINE') return number.countryCallingCode === '1'
  return mobileTypes.has(type) || number.number.startsWith(fictionalMobiles)
}

const mobileTypes = new Set(['MOBILE', 'FIXED_LINE_OR_MOBILE'])

// Ofcom's numbers for TV and radio drama that the metadata omit: assigned to no user, and common in examples.
const reservedForFiction = /^\+44(?:7700900|1632960|115496\d)\d{3}$/
const fictionalMobiles = '+447700900'
