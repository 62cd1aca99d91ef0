import { existsSync, readFileSync } from 'node:fs'
import { isUserId, parseUserId } from '@kith/shared'
import { isSupportedRegion, normalisePhoneNumber } from '@kith/shared/phone'
import fc from 'fast-check'
import { type CountryCode, getCountryCallingCode } from 'libphonenumber-js/max'
import { describe, expect, test } from 'vitest'
import { holds } from '../support/properties.ts'

const corpus = new URL('../../../shared/corpus/phonebook-raw.txt', import.meta.url)
const regions = [undefined, 'US', 'GB', 'DE', 'FR', 'IN', 'BR', 'AU']

/** Returns the id, or the reason in brackets, so that a table of expectations is easy to read. */
function outcome(result: { id: string } | { reason: string }): string {
  return 'id' in result ? result.id : `(${result.reason})`
}

function phone(input: string, region?: string): string {
  return outcome(normalisePhoneNumber(input, { region }))
}

function property<T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => unknown): void {
  holds(
    fc.property(arbitrary, value => void check(value)),
    500,
  )
}

/** Names a row of a table: the text, its region if there is one, and the result. */
function brief(row: (string | undefined)[]): string {
  const [input, ...others] = row
    .filter(cell => cell !== undefined)
    .map(cell => (cell.length > 40 ? `${cell.slice(0, 8)}… ${cell.length} long` : cell))
  return [JSON.stringify(input), ...others].join(' → ')
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 150 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map(unit => String.fromCharCode(unit)), maxLength: 150 }),
  fc.string({ unit: fc.constantFrom(...'\u0301\u212b\u0344\u2000\ufeff\u0085 \ud800\udc00A.é'), maxLength: 20 }),
)
const nearlyPhone = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 5, maxLength: 16 }),
  fc.string({ unit: fc.constantFrom(...'00112345678999+() -./x;,٤４\u202d'), maxLength: 24 }),
  fc
    .tuple(fc.constantFrom('+', '00', '011', '0', '(', '+44', '+1', '+49', '+91', '+39', '+54', '+52'), fc.nat())
    .map(parts => parts.join('')),
)
/** Regions where national digits are also valid numbers of other countries. */
const acrossBorder = new Set(['FR', 'IT'])
const anyRegion = fc.constantFrom(...regions, 'CH', 'IT', 'AR', 'MX', 'RU', 'JP', 'KR', 'SG')

describe('user ids', () => {
  test.each(
    [
      ['alice', 'alice'],
      ['  alice\n', 'alice'],
      ['\ufeff\u00a0alice\u3000', 'alice'],
      ['zoe\u0308@example.org', 'zoë@example.org'],
      ['+442079460123', '+442079460123'],
      ['...', '...'],
      ['a b', 'a b'],
      ['__proto__', '__proto__'],
      ['x'.repeat(128), 'x'.repeat(128)],
      ['é'.repeat(64), 'é'.repeat(64)],
      ['e\u0301'.repeat(64), 'é'.repeat(64)],
      [`${' '.repeat(100_000)}alice`, 'alice'],
      ['', '(malformed)'],
      [' \t ', '(malformed)'],
      ['.', '(malformed)'],
      [' .. ', '(malformed)'],
      ['a\u0000b', '(malformed)'],
      ['a\nb', '(malformed)'],
      ['alice\u0085', '(malformed)'],
      ['a\ud800', '(malformed)'],
      ...[...'\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069'].map(control => [
        `al${control}ice`,
        '(malformed)',
      ]),
      ['\u202ealice', '(malformed)'],
      ['alice\u2069', '(malformed)'],
      ...[...'\u061c\u200e\u200f\u200d'].map(mark => [`al${mark}ice`, `al${mark}ice`]),
      ['\udc00\ud800', '(malformed)'],
      ['x'.repeat(129), '(too-long)'],
      ['é'.repeat(65), '(too-long)'],
      ['😀'.repeat(33), '(too-long)'],
      ['x'.repeat(1_000_000), '(too-long)'],
    ].map(row => [brief(row), ...row]),
  )('%s', (_, input = '', expected = '') => {
    expect(outcome(parseUserId(input))).toBe(expected)
  })

  test('only the canonical form is a user id', () => {
    expect(['alice', 'é', '😀', '+442079460123', '...'].every(isUserId)).toBe(true)
    const others = [
      '',
      '.',
      '..',
      ' alice',
      'alice ',
      'e\u0301',
      '\u212b',
      '\ud800',
      'a\u0007',
      '\u202ealice',
      'al\u2066ice\u2069',
      'x'.repeat(129),
      7,
      null,
    ]
    expect([...others, undefined, {}, ['alice'], new String('alice')].filter(isUserId)).toEqual([])
  })

  test('any text gives a canonical user id, which parses to itself, or a reason', () => {
    property(anyText, text => {
      const result = parseUserId(text)
      if ('reason' in result) return expect(['malformed', 'too-long']).toContain(result.reason)
      expect(isUserId(result.id)).toBe(true)
      expect(parseUserId(` ${result.id.normalize('NFD')}\n`)).toEqual(result)
      expect(new TextDecoder().decode(new TextEncoder().encode(result.id))).toBe(result.id)
    })
  })

  test('a text is a user id exactly if it parses to itself', () => {
    for (let code = 0; code < 0x80; code++) {
      const one = String.fromCharCode(code)
      for (const text of [one, `a${one}`, `${one}a`, `a${one}a`, one.repeat(2), one.repeat(3)]) {
        expect(isUserId(text), JSON.stringify(text)).toBe(outcome(parseUserId(text)) === text)
      }
    }
    property(anyText, text => expect(isUserId(text)).toBe(outcome(parseUserId(text)) === text))
  })
})

describe('phone numbers', () => {
  const table: [input: string, region: string | undefined, expected: string][] = [
    // International: the region makes no difference.
    ['+44 (0)20 7946 0123', undefined, '+442079460123'],
    ['+44 20 7946 0123', 'US', '+442079460123'],
    ['(+44) 20-7946.0123', undefined, '+442079460123'],
    ['0044 20 7946 0123', undefined, '+442079460123'],
    ['0044 20 7946 0123', 'US', '+442079460123'],
    ['+447700900123', undefined, '+447700900123'],
    ['441632960001', undefined, '+441632960001'],
    ['+18005550001', 'IN', '+18005550001'],
    ['+7 701 555 0101', undefined, '+77015550101'],
    ['+1 (212) 204-34456', undefined, '(not-a-phone-number)'],
    ['+999123456789', undefined, '(not-a-phone-number)'],
    ['00', 'GB', '(not-a-phone-number)'],
    // A region's own international prefix.
    ['011 44 20 7946 0123', 'US', '+442079460123'],
    ['011 44 20 7946 0123', undefined, '(ambiguous)'],
    ['0011 44 20 7946 0123', 'AU', '+442079460123'],
    ['0011 44 20 7946 0123', 'GB', '(not-a-phone-number)'],
    ['+011 44 20 7946 0123', 'US', '(not-a-phone-number)'],
    // International without its plus.
    ['18005550001', undefined, '+18005550001'],
    ['14155550123', 'US', '+14155550123'],
    ['49 30 90182118', 'DE', '+493090182118'],
    ['88005553535', 'RU', '+78005553535'],
    // National.
    ['020 7946 0123', 'GB', '+442079460123'],
    ['020 7946 0123', undefined, '(ambiguous)'],
    ['(415) 555-0123', 'US', '+14155550123'],
    ['(415) 555-0123', undefined, '(ambiguous)'],
    ['(415) 555-0123', 'GB', '(not-a-phone-number)'],
    ['415-555-0123', 'US', '+14155550123'],
    ['4155550123', 'US', '+14155550123'],
    ['4155550123', undefined, '(ambiguous)'],
    ['0770 0900 123', 'GB', '+447700900123'],
    ['034441/ 2 22 67', 'DE', '+493444122267'],
    ['011998793558', 'BR', '+5511998793558'],
    ['310 555 2671', 'CO', '+573105552671'],
    ['90700000000000', 'DE', '(not-a-phone-number)'], // seed 8567: 16 digits with the 49, more than E.164 has
    // Two countries have it, or neither reading is certain.
    ['6469551234', 'US', '+16469551234'],
    ['646-955-1234', 'US', '+16469551234'],
    ['646-955-1234', undefined, '(ambiguous)'],
    ['6469551234', undefined, '+6469551234'],
    ['6582345678', 'IN', '+6582345678'],
    ['18005550001', 'IN', '(ambiguous)'],
    ['6582345678', 'SG', '+6582345678'],
    ['(415) 555-0148', 'BR', '(ambiguous)'],
    ['905-555-1234', 'IN', '(ambiguous)'],
    ['905-555-1234', 'GB', '(ambiguous)'],
    ['222222', 'DE', '(ambiguous)'],
    // Several numbers in one text.
    ['+442079460123, +442079460124', undefined, '(ambiguous)'],
    ['+442079460123 +442079460124', undefined, '(ambiguous)'],
    ['02079460123 / 02079460124', 'GB', '(ambiguous)'],
    ['02079460123 or 02079460124', 'GB', '(ambiguous)'],
    ['02079460123 02079460124', 'GB', '(ambiguous)'],
    ['+49 30 90182118/19', undefined, '(ambiguous)'],
    // Extensions belong to the line.
    ['+55 11992389625 x12', undefined, '+5511992389625'],
    ['+16465550157;ext=55', undefined, '+16465550157'],
    ['+1 646 555 0157 ext. 55', undefined, '+16465550157'],
    ['+1 646 555 0157,,55#', undefined, '+16465550157'],
    // Other scripts, and characters that phones copy with a number.
    ['+٤٩٣٠٩٠١٨٢٧٨٤', undefined, '+493090182784'],
    ['＋４４（２０）７９４６－０１２３', undefined, '+442079460123'],
    ['+९१ ९९९९९ २३४०८', undefined, '+919999923408'],
    ['𝟒𝟒20𝟽𝟿𝟺𝟼0123', undefined, '+442079460123'],
    ['\u202a+44\u00a020\u20117946\u20130123\u202c', undefined, '+442079460123'],
    ['\u202e+442079460123', undefined, '(malformed)'],
    ['TEL:+1-212-5550102', undefined, '+12125550102'],
    // No numbers.
    ['', undefined, '(malformed)'],
    ['   ', undefined, '(malformed)'],
    ['+44\u0000 20 7946 0123', undefined, '(malformed)'],
    ['+44\ud800', undefined, '(malformed)'],
    ['1'.repeat(129), undefined, '(too-long)'],
    ['1'.repeat(1_000_000), 'US', '(too-long)'],
    ['('.repeat(128), 'US', '(not-a-phone-number)'],
    ...[
      '<script>alert(1)</script>',
      '205246\\;\\;\\,\\;',
      'MobilePhone',
      'call +442079460123',
      '+44207946O123',
      '44+2079460123',
      '1-800-FLOWERS',
      'p1234p5678w9',
      '*100#',
      '=1+2',
      '+',
      '+()',
      '/',
      '999',
      '1',
      '1'.repeat(16),
      '__proto__',
      'constructor',
      '😀',
    ].map((input): [string, undefined, string] => [input, undefined, '(not-a-phone-number)']),
  ]
  test.each(table.map(row => ({ name: brief(row), row })))('$name', ({ row: [input, region, expected] }) => {
    expect(phone(input, region)).toBe(expected)
  })

  test('an unknown region is a programming mistake', () => {
    for (const region of ['', 'gb', 'GBR', 'XX', '001', '44', 'constructor', '__proto__']) {
      expect(isSupportedRegion(region)).toBe(false)
      expect(() => normalisePhoneNumber('+442079460123', { region })).toThrow(TypeError)
    }
    expect(regions.every(region => region === undefined || isSupportedRegion(region))).toBe(true)
  })

  test('any text gives an id that parses to itself in every region, or a reason', () => {
    property(fc.tuple(fc.oneof(anyText, nearlyPhone), anyRegion, anyRegion), ([text, region, other]) => {
      const result = normalisePhoneNumber(text, { region })
      if ('reason' in result) {
        return expect(['malformed', 'too-long', 'not-a-phone-number', 'ambiguous']).toContain(result.reason)
      }
      expect(result.id).toMatch(/^\+[1-9]\d{6,14}$/)
      expect(isUserId(result.id)).toBe(true)
      expect(normalisePhoneNumber(result.id, { region: other })).toEqual(result)
      expect(normalisePhoneNumber(`00${result.id.slice(1)}`)).toEqual(result)
    })
  })

  test('a region never changes what a number with its plus means', () => {
    property(fc.tuple(nearlyPhone, anyRegion), ([text, region]) => {
      const written = `+${text.replace(/^\D+/, '')}`
      expect(normalisePhoneNumber(written, { region })).toEqual(normalisePhoneNumber(written))
    })
  })

  test('with a region, digits are an international number or one of that region', () => {
    property(fc.tuple(nearlyPhone, anyRegion), ([text, region]) => {
      const without = normalisePhoneNumber(text)
      const within = normalisePhoneNumber(text, { region })
      if (!('id' in without && 'id' in within) || region === undefined) return
      const isHome = within.id.startsWith(`+${getCountryCallingCode(region as CountryCode)}`)
      if (!isHome && !acrossBorder.has(region)) expect(within).toEqual(without)
    })
  })
})

describe.skipIf(!existsSync(corpus))('a phone book of 1,010 lines', () => {
  const lines = existsSync(corpus) ? readFileSync(corpus, 'utf8').replace(/\n$/, '').split('\n') : []

  test.each(regions)('in region %s every line of the phone book is an id, a duplicate or a reported reason', region => {
    const counts: Record<string, number> = {}
    const ids = new Set<string>()
    for (const line of lines) {
      const result = normalisePhoneNumber(line, { region })
      const kind = 'reason' in result ? result.reason : ids.has(result.id) ? 'duplicate' : 'id'
      counts[kind] = (counts[kind] ?? 0) + 1
      if ('reason' in result) continue
      ids.add(result.id)
      expect(isUserId(result.id)).toBe(true)
      for (const other of regions) expect(normalisePhoneNumber(result.id, { region: other })).toEqual(result)
    }
    expect(lines).toHaveLength(1010)
    expect(counts).toEqual(expectedCounts[region ?? 'none'])
  })

  test('a number with its plus is the same id in all regions', () => {
    for (const line of lines.filter(text => /[+\uff0b]/.test(text))) {
      for (const region of regions) expect(phone(line, region)).toBe(phone(line))
    }
  })
})

// Each line was reviewed. New metadata (another version of libphonenumber-js) may move a few between the columns.
const expectedCounts: Record<string, Record<string, number>> = {
  none: { id: 718, duplicate: 110, ambiguous: 147, 'not-a-phone-number': 33, malformed: 2 },
  US: { id: 734, duplicate: 113, 'not-a-phone-number': 161, malformed: 2 },
  GB: { id: 762, duplicate: 120, ambiguous: 14, 'not-a-phone-number': 112, malformed: 2 },
  DE: { id: 748, duplicate: 103, ambiguous: 69, 'not-a-phone-number': 88, malformed: 2 },
  FR: { id: 739, duplicate: 114, 'not-a-phone-number': 155, malformed: 2 },
  IN: { id: 755, duplicate: 111, ambiguous: 31, 'not-a-phone-number': 111, malformed: 2 },
  BR: { id: 774, duplicate: 110, ambiguous: 20, 'not-a-phone-number': 104, malformed: 2 },
  AU: { id: 728, duplicate: 115, ambiguous: 1, 'not-a-phone-number': 164, malformed: 2 },
}
