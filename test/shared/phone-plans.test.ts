import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { normalisePhoneNumber } from '@kith/shared/phone'
import { type CountryCode, getCountries, getCountryCallingCode } from 'libphonenumber-js/max'
import { expect, test } from 'vitest'
import { mobileLines, numberingPlan } from '../support/phone-lines.ts'
import { seed } from '../support/properties.ts'
import { exitCode } from '../support/shared-internals.ts'

test("each region's exit codes are those of the metadata", () => {
  const known = getCountries().map(region => [region, numberingPlan(region).IDDPrefix()])
  expect(getCountries().map(region => [region, exitCode(region)])).toEqual(known)
})

test('the CommonJS build of libphonenumber-js has everything that the sources import', () => {
  const folder = new URL('../../packages/shared/src/phone/', import.meta.url)
  const sources = [...readdirSync(folder).map(name => new URL(name, folder)), new URL('../phone.ts', folder)]
  const imported = sources.flatMap(source => {
    const [, names = ''] = /import \{([^}]*)\} from 'libphonenumber-js\/max'/.exec(readFileSync(source, 'utf8')) ?? []
    return names.split(',').map(name => name.trim())
  })
  const values = imported.filter(name => name !== '' && !name.startsWith('type '))
  expect(values).toContain('parsePhoneNumberFromString')
  const build = createRequire(import.meta.url)('libphonenumber-js/max') as Record<string, unknown>
  expect(values.filter(name => typeof build[name] !== 'function')).toEqual([])
})

const french: CountryCode[] = ['FR', 'GP', 'BL', 'MF', 'GF', 'MQ', 'RE', 'YT', 'PM']

test('from each territory of the French plan a mobile number of each other is dialled with 0, and is that line', () => {
  const wrong = french.flatMap(to =>
    mobileLines(to, seed, 20)
      .filter(line => line.nationalNumber.length === 9)
      .flatMap(line => french.map(from => ({ from, text: `0${line.nationalNumber}`, id: line.number })))
      .filter(({ from, text, id }) => read(text, from) !== id),
  )
  expect(wrong).toEqual([])
})

test('between Kenya, Uganda and Tanzania, 005, 006 and 007 lead to that line, or the number is ambiguous', () => {
  const codes: [from: CountryCode, code: string, to: CountryCode][] = [
    ['TZ', '005', 'KE'],
    ['UG', '005', 'KE'],
    ['TZ', '006', 'UG'],
    ['KE', '006', 'UG'],
    ['UG', '007', 'TZ'],
    ['KE', '007', 'TZ'],
  ]
  for (const [from, code, to] of codes) {
    for (const line of mobileLines(to, seed, 50)) {
      const found = read(code + line.nationalNumber, from)
      expect([line.number, '(ambiguous)'], `${code} ${line.nationalNumber} from ${from}`).toContain(found)
    }
  }
})

/** Forms that a renumbering ended, and their present form. Each digit after `x` stays the same. */
const renumbered: [region: CountryCode, old: string, today: string][] = [
  ['MX', '1xxxxxxxxxx', 'xxxxxxxxxx'],
  ['BR', '118xxxxxxx', '1198xxxxxxx'],
  ['BR', '219xxxxxxx', '2199xxxxxxx'],
  ['VN', '120xxxxxxx', '70xxxxxxx'],
  ['VN', '129xxxxxxx', '82xxxxxxx'],
  ['VN', '169xxxxxxx', '39xxxxxxx'],
  ['VN', '188xxxxxxx', '58xxxxxxx'],
  ['CI', '01xxxxxx', '0101xxxxxx'],
  ['CI', '46xxxxxx', '0546xxxxxx'],
  ['CI', '77xxxxxx', '0777xxxxxx'],
  ['BJ', '97xxxxxx', '0197xxxxxx'],
]

test('an old number becomes its renumbered form in a phone book of any region', () => {
  for (const [region, old, today] of renumbered) {
    const code = getCountryCallingCode(region)
    for (let count = 0; count < 20; count++) {
      const places = [...'5512345678'].map((digit, place) => (place < 2 ? digit : String((count * 7 + place * 3) % 10)))
      const filled = (form: string): string => {
        const all = [...form].filter(one => one === 'x').length
        let place = 10 - all
        return form.replace(/x/g, () => places[place++] ?? '0')
      }
      const now = `+${code}${filled(today)}`
      if (read(now, undefined) !== now) continue // Nobody's: not all are assigned.
      expect(read(`+${code} ${filled(old)}`, undefined)).toBe(now)
      expect(read(`00${code}${filled(old)}`, 'GB')).toBe(now)
      expect(read(`${code}${filled(old)}`, region)).toBe(now)
      expect(read(now, region)).toBe(now)
    }
  }
})

/** Returns the id, or the reason in brackets. */
function read(text: string, region: string | undefined): string {
  const result = normalisePhoneNumber(text, { region })
  return 'id' in result ? result.id : `(${result.reason})`
}
