import { normalisePhoneNumber } from '@kith/shared/phone'
import { getCountries } from 'libphonenumber-js/max'
import { expect, test } from 'vitest'
import { mobileLines, writtenForms } from '../support/phone-lines.ts'
import { seed } from '../support/properties.ts'

const linesPerRegion = 3

const cases = getCountries().flatMap(region =>
  mobileLines(region, seed, linesPerRegion).flatMap(line =>
    Object.entries(writtenForms(line, region)).map(([form, text]) => ({ region, form, text, id: line.number })),
  ),
)

/** Returns the id, or the reason in brackets. */
function read(text: string, region: string | undefined): string {
  const result = normalisePhoneNumber(text, { region })
  return 'id' in result ? result.id : `(${result.reason})`
}

/** Forms that name their country. No region may change their meaning. */
const withPlus = [
  'E.164',
  'international',
  'hyphens',
  'calling code in brackets',
  'embedded from left to right',
  'a link',
]

/** The most common forms in phone books. */
const usual = [
  ...withPlus,
  'without the plus',
  'national',
  'national, in one',
  'without trunk prefix',
  'with the exit code',
]

test('a mobile number of any region, in every form, becomes the id of that line or a reason, never another id', () => {
  const wrong = cases.filter(
    ({ text, region, id }) => !['(ambiguous)', '(not-a-phone-number)', id].includes(read(text, region)),
  )
  expect(cases.length).toBeGreaterThan(200 * linesPerRegion * 20)
  expect(wrong).toEqual([])
})

test('no region refuses its own mobile numbers in the forms that people use most', () => {
  const refused = cases.filter(({ form, text, region, id }) => usual.includes(form) && read(text, region) !== id)
  expect(refused).toEqual([])
})

test('a number with its plus has one id, with any region and without one', () => {
  const others = [undefined, 'US', 'GB', 'DE', 'FR', 'IN', 'BR', 'MX', 'RU', 'IT', 'HK', 'TZ', 'WS']
  const changed = cases
    .filter(({ form }, index) => withPlus.includes(form) && index % 3 === 0)
    .flatMap(one => others.map(other => ({ ...one, other })))
    .filter(({ text, other, id }) => read(text, other) !== id)
  expect(changed).toEqual([])
})
