// The number of digits of a number without its area code. Source: the `localOnly` lengths of fixed lines in Google's
// PhoneNumberMetadata.xml (libphonenumber 9, 2026), which libphonenumber-js omits. For regions whose numbers have no single
// length, and which Google's file therefore omits: the lengths of subscriber numbers in the national numbering plans at the ITU
// (https://www.itu.int/oth/T0202). Four digits and fewer are short codes.

const regionsByLengths: Record<string, string> = {
  '5': 'NF',
  '5-6': 'AM KG',
  '5-7': 'AL BG BY CU FI IE KE KZ MM MN PY RS TJ TZ UA UG ZW',
  '5-8': 'AT BD CN DE GB ID IR JP PH PK SE',
  '6': 'BA BT ER GG IM JE LA LB ME SL SM YE ZM',
  '6-7': 'EG GE HR HU IQ KH KP MK MY NG NL NP PE SY',
  '6-8': 'AR IN TW',
  '7': 'AE AF AG AI AS AZ BB BM BO BS CA CO DM DO EC ET GD GH GU IL JM JO KN KY LC LK LY MG MP MS NZ PR PS RU SA SI SX TC TR TT US UY VC VE VG VI ZA',
  '7-8': 'KR MX',
  '8': 'AU BR CC CX',
}

/** Whether the digits may be a number of the region that lacks its area code. */
export function mayLackAreaCode(digits: string, region: string): boolean {
  if (digits.startsWith('0')) return false
  // A mobile number of Argentina without its area code: 15 1234-5678.
  const local = region === 'AR' ? digits.replace(/^15(?=\d{6,8}$)/, '') : digits
  const [least, most] = lengthsByRegion.get(region) ?? [0, 0]
  return local.length >= least && local.length <= most
}

const lengthsByRegion = new Map<string, readonly [number, number]>()
for (const [lengths, regions] of Object.entries(regionsByLengths)) {
  const [least = 0, most = least] = lengths.split('-').map(Number)
  for (const region of regions.split(' ')) lengthsByRegion.set(region, [least, most])
}
