import fc from 'fast-check'
import {
  type CountryCode,
  getCountryCallingCode,
  getExampleNumber,
  Metadata,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max'
import examples from 'libphonenumber-js/mobile/examples'

/**
 * Random mobile numbers that the region's plan assigns, and its example number. They are chosen without regard to real people.
 */
export function mobileLines(region: CountryCode, seed: number, count: number): PhoneNumber[] {
  const drawn = fc.sample(fc.stringMatching(mobilePattern(region)), { seed, numRuns: count })
  const callingCode = getCountryCallingCode(region)
  const numbers = drawn.map(digits => parsePhoneNumberFromString(`+${callingCode}${digits}`, { extract: false }))
  return [...numbers, getExampleNumber(region, examples)].filter(
    (number): number is PhoneNumber => number?.isValid() === true && hasOneName(number, region),
  )
}

/** Where mobile numbers have no pattern of their own, as in the USA, the pattern of fixed lines applies. */
function mobilePattern(region: CountryCode): RegExp {
  const plan = numberingPlan(region)
  const pattern = [plan.type('MOBILE'), plan.type('FIXED_LINE')].map(type => type?.pattern()).find(Boolean)
  return new RegExp(`^(?:${pattern ?? ''})$`)
}

/** The data that libphonenumber has about a region. Its types omit a part of this data. */
interface Plan {
  IDDPrefix(): string
  type(type: string): { pattern(): string } | undefined
}

export function numberingPlan(region: CountryCode): Plan {
  const metadata = new Metadata()
  metadata.selectNumberingPlan(region)
  return metadata.numberingPlan as unknown as Plan
}

/** The metadata contain numbers of Gabon from before 2019 with and without a 0, and format one form as the other. */
function hasOneName(number: PhoneNumber, region: CountryCode): boolean {
  return parsePhoneNumberFromString(number.formatNational(), region)?.number === number.number
}

/** The ways in which people, phones and spreadsheets write one number, by the name of the form. */
export function writtenForms(number: PhoneNumber, region: CountryCode): Record<string, string> {
  const { countryCallingCode: code, nationalNumber: digits } = number
  const national = number.formatNational()
  const international = number.formatInternational()
  const groups = international.slice(code.length + 2)
  const trunk = trunkPrefix(number)
  const exitCode = numberingPlan(region).IDDPrefix()
  return {
    'E.164': number.number,
    international,
    'without the plus': `${code}${digits}`,
    'without the plus, in groups': international.slice(1),
    'calling code apart': `${code} ${digits}`,
    national,
    'national, in one': `${trunk}${digits}`,
    'without trunk prefix': digits,
    'without trunk prefix, in groups': groups,
    'with 00': `00${code}${digits}`,
    'with 00, in groups': `00 ${code} ${groups}`,
    'with the exit code': `${/^\d+$/.test(exitCode) ? exitCode : '+'}${code}${digits}`,
    'trunk prefix in brackets': `+${code} (${trunk || 0})${groups}`,
    'trunk prefix after the calling code': `+${code} ${trunk}${groups}`,
    'trunk prefix, no plus': `${code}${trunk}${digits}`,
    'calling code in brackets': `(+${code}) ${groups}`,
    'calling code in square brackets': `[+${code}] ${groups}`,
    hyphens: international.replaceAll(' ', '-'),
    dots: international.replace(/[ -]/g, '.'),
    underscores: international.replace(/[ -]/g, '_'),
    'national, hyphens': national.replaceAll(' ', '-'),
    'no-break spaces': international.replaceAll(' ', '\u00a0'),
    'full width': international.replace(/[+\d]/g, one => String.fromCharCode(one.charCodeAt(0) + 0xfee0)),
    'Arabic digits': national.replace(/\d/g, digit => String.fromCharCode(0x660 + Number(digit))),
    'embedded from left to right': `\u202a${international}\u202c`,
    'as iOS copies it': `\u202d${national}\u202c`,
    isolated: `\u2068${national}\u2069`,
    'a word beside it': `${national} (mobile)`,
    'a word before it': `[work] ${international}`,
    'a link': number.getURI(),
    'an extension': `${international} ext. 12`,
    'three, three and the rest': digits.replace(/^(\d{3})(\d{3})/, '$1-$2-'),
    'three in brackets': digits.replace(/^(\d{3})/, '($1) '),
    pairs: `${trunk}${digits}`.replace(/\d\d(?=\d)/g, '$& '),
  }
}

/** The digits that are dialled before a national number, as `formatNational` shows them. */
function trunkPrefix(number: PhoneNumber): string {
  const dialled = number.formatNational().replace(/\D/g, '')
  return dialled.endsWith(number.nationalNumber) ? dialled.slice(0, -number.nationalNumber.length) : ''
}
