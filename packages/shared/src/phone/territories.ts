// Numbers that people dial as national numbers although they have another calling code. The metadata treat each calling code
// separately, and take some such numbers for the region's own, where no user has them.

import type { CountryCode } from 'libphonenumber-js/max'
import { type Found, internationalNumber, nationalNumber, type Reading } from './number.ts'

/** The reading of digits that the region dials across its border, or `undefined` if it does not. */
export function acrossBorder(digits: string, region: CountryCode): Found | undefined {
  if (frenchPlan.has(region)) return inFrenchPlan(digits, region)
  for (const { from, written, to } of borders) {
    if (from === region && written.test(digits)) return internationalNumber(digits.replace(written, to)) ?? 'none'
  }
  return undefined
}

const borders: readonly { from: CountryCode; written: RegExp; to: string }[] = [
  // Northern Ireland from Ireland. ComReg, National Numbering Conventions: 048 stands for 00 44 28.
  { from: 'IE', written: /^0?48(\d{8})$/, to: '4428$1' },
  // San Marino from Italy, which had it as the area 0549 until 1996. ITU, national numbering plan T02020000B5.
  { from: 'IT', written: /^(0549\d{6})$/, to: '378$1' },
  // Singapore from Malaysia, until MCMC ended it in 2017; phone books still contain it.
  { from: 'MY', written: /^02([3689]\d{7})$/, to: '65$1' },
  // Kenya (5), Uganda (6) and Tanzania (7) from each other. ITU, national numbering plans T0202000070, T02020000F1 and
  // T02020000CB. The same digits may be international: 006 737 705 691 is in Uganda, 00 673 770 5691 in Brunei.
  { from: 'TZ', written: /^005(\d{7,9})$/, to: '254$1' },
  { from: 'TZ', written: /^006(\d{9})$/, to: '256$1' },
  { from: 'UG', written: /^005(\d{7,9})$/, to: '254$1' },
  { from: 'UG', written: /^007(\d{9})$/, to: '255$1' },
  { from: 'KE', written: /^006(\d{9})$/, to: '256$1' },
  { from: 'KE', written: /^007(\d{9})$/, to: '255$1' },
]

// One plan of ten digits, 0 and nine, for metropolitan France and its territories overseas, which have six calling codes.
// Arcep, décision 2018-0881 établissant le plan national de numérotation.
const frenchPlan: ReadonlySet<CountryCode> = new Set(['FR', 'GP', 'BL', 'MF', 'GF', 'MQ', 'RE', 'YT', 'PM'])
const overseasCodes = ['262', '590', '594', '596', '508']
const overseasAlone = /^(?:26[239]|508|59[046]|639|69[0-467]|709)/

function inFrenchPlan(digits: string, region: CountryCode): Found | undefined {
  const [, number = ''] = /^0?([1-9]\d{8})$/.exec(digits) ?? []
  // 08 is for services, the same everywhere, and Saint-Pierre's own numbers have six digits.
  if (number === '' || number.startsWith('8')) return undefined
  const [reading, ...others] = overseasCodes.flatMap(callingCode => overseas(callingCode, number) ?? [])
  if (reading) return others.length > 0 ? 'ambiguous' : reading // For some 09, the metadata list several territories.
  if (overseasAlone.test(number)) return 'none'
  return nationalNumber(number, 'FR') ?? (region === 'FR' ? undefined : 'none')
}

function overseas(callingCode: string, number: string): Reading | undefined {
  // 0508 41 12 34 from elsewhere in France is +508 41 12 34.
  const digits = callingCode === '508' ? number.replace(/^508/, '') : number
  return internationalNumber(callingCode + digits)
}
