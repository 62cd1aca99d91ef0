// Numbers that were changed by a whole rule. Phone books keep the old form for decades, and the number still belongs to the
// same person. Only digits that are no longer a number as written are read in this way. Only changes with one new number for
// each old one are listed: a change by operator or by town that the digits do not show would be a guess.

import { internationalNumber, type Reading } from './number.ts'

interface Renumbering {
  callingCode: string
  /** The digits after the calling code, or as written within the country, in the old form. */
  old: RegExp
  /** The new form, as a replacement of `old`. */
  new: string
  /** The old form was used only after the calling code. */
  isAbroadOnly?: boolean
  /** Not only mobile numbers were changed. */
  isOfAll?: boolean
}

const renumberings: readonly Renumbering[] = [
  // Mexico, 3 August 2019: ten digits everywhere. The prefixes 01, 044 and 045 ended, and the 1 after +52 that marked mobiles.
  // IFT, Plan Técnico Fundamental de Numeración (DOF, 11 May 2018); ITU, national numbering plan T020200008A.
  { callingCode: '52', old: /^1(\d{10})$/, new: '$1', isAbroadOnly: true },
  { callingCode: '52', old: /^04[45](\d{10})$/, new: '$1' },
  { callingCode: '52', old: /^01(\d{10})$/, new: '$1', isOfAll: true },

  // Brazil, 2012 to 2016: a 9 before the eight digits of every mobile number, which began with 6 to 9; fixed lines begin with 2
  // to 5. The trunked radio numbers (SME), 7 and seven digits, did not change, so those are read as they are written. Anatel,
  // Resolução 553/2010 and Ato 6.305/2012; ITU, national numbering plan T020200001D. 0 or 90, with or without the code of a
  // carrier, comes before the area code.
  {
    callingCode: '55',
    old: /^(?:9?0(?:1[245]|2[1-35]|31|4[13]|[56]5|99)?)?([1-9]{2})([6-9]\d{7})$/,
    new: '$19$2',
  },

  // Vietnam, 15 September 2018: mobile numbers of eleven digits, 01xx, became ten.
  // Ministry of Information and Communications, Decision 798/QĐ-BTTTT of 2018; ITU, national numbering plan T02020000E4.
  ...['70', '79', '77', '83', '84', '85', '76', '81', '78', '82'].map((now, digit) => vietnamese(`2${digit}`, now)),
  vietnamese('6([2-9])', '3$1', '$2'),
  vietnamese('8([68])', '5$1', '$2'),
  vietnamese('99', '59'),

  // Côte d'Ivoire, 31 January 2021: eight digits became ten. The second digit of a mobile number showed its operator, whose
  // new prefix is 01, 05 or 07. ARTCI, plan national de numérotation à 10 chiffres; ITU, T0202000031.
  { callingCode: '225', old: /^((?:0[1-3]|[4-9][0-3])\d{6})$/, new: '01$1' },
  { callingCode: '225', old: /^([04-9][4-6]\d{6})$/, new: '05$1' },
  { callingCode: '225', old: /^([04-9][7-9]\d{6})$/, new: '07$1' },

  // Benin, 30 November 2024: 01 before all numbers of eight digits. ARCEP Bénin; ITU, T0202000017.
  { callingCode: '229', old: /^([24-9]\d{7})$/, new: '01$1', isOfAll: true },

  // Colombia, 1 September 2021: 60 before the area code of fixed lines. CRC, Resolución 5826 de 2019; ITU, T020200002C.
  { callingCode: '57', old: /^([1245678]\d{7})$/, new: '60$1', isOfAll: true },
]

function vietnamese(before: string, now: string, rest = '$1'): Renumbering {
  return { callingCode: '84', old: new RegExp(`^0?1${before}(\\d{7})$`), new: now + rest }
}

/** The current number for the digits of an international number in its old form. */
export function renumberedAbroad(digits: string): Reading | undefined {
  const callingCode = callingCodes.find(code => digits.startsWith(code))
  return callingCode === undefined ? undefined : renumbered(callingCode, digits.slice(callingCode.length), 'abroad')
}

/** The same for digits as written within the country. */
export function renumberedWithin(callingCode: string, digits: string): Reading | undefined {
  return renumbered(callingCode, digits, 'within')
}

const callingCodes = [...new Set(renumberings.map(({ callingCode }) => callingCode))]

function renumbered(callingCode: string, national: string, where: 'abroad' | 'within'): Reading | undefined {
  for (const renumbering of renumberings) {
    if (renumbering.callingCode !== callingCode || !renumbering.old.test(national)) continue
    if (renumbering.isAbroadOnly && where === 'within') continue
    const number = internationalNumber(callingCode + national.replace(renumbering.old, renumbering.new))
    if (number && (number.mayBeMobile || renumbering.isOfAll)) return { ...number, isRenumbered: true }
  }
  return undefined
}
