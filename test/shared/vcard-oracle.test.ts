import fc from 'fast-check'
import ICAL from 'ical.js'
import { expect, test } from 'vitest'
import { readAll } from '../support/phone-books.ts'
import { holds } from '../support/properties.ts'

interface Person {
  name: string
  family: string
  given: string
  phoneNumbers: string[]
  emails: string[]
}

/** Text as people write it, with everything that a card must escape or fold. It has one line, as a name does. */
const text = fc
  .array(
    fc.constantFrom(
      'Ada',
      'Jürgen',
      '安藤',
      '🙂',
      'ß',
      ',',
      ';',
      '\\',
      ':',
      '"',
      '=',
      '=20',
      ' ',
      '\\n',
      'é',
      "O'Brien",
    ),
    {
      ...{ minLength: 1, maxLength: 40 },
    },
  )
  .map(parts => parts.join('').trim())
  .filter(name => name !== '' && !/ {2}/.test(name))

const person: fc.Arbitrary<Person> = fc.record({
  ...{ name: text, family: text, given: text },
  phoneNumbers: fc.array(fc.stringMatching(/^\+?[0-9]([0-9 ()-]{0,15}[0-9])?$/), { maxLength: 3 }),
  emails: fc.array(fc.stringMatching(/^[a-z]{1,80}@example\.com$/), { maxLength: 3 }),
})

/** Returns the card as ical.js writes it. */
function writtenByIcal({ name, family, given, phoneNumbers, emails }: Person, version: string): string {
  const card = new ICAL.Component('vcard')
  const add = (property: string, value: string | string[]): void => {
    const written = new ICAL.Property(property, card)
    written.setValue(value as string)
    card.addProperty(written)
  }
  add('version', version)
  add('fn', name)
  add('n', [family, given, '', '', ''])
  for (const number of phoneNumbers) add('tel', number)
  for (const email of emails) add('email', email)
  return `${card.toString()}\r\n`
}

/** Returns the card as ical.js reads it. */
function readByIcal(card: string): Omit<Person, 'family' | 'given'> {
  const component = new ICAL.Component(ICAL.parse(card) as [])
  const all = (name: string): string[] =>
    component.getAllProperties(name).map(property => String(property.getFirstValue()))
  return { name: all('fn')[0] as string, phoneNumbers: all('tel'), emails: all('email') }
}

test.each(['3.0', '4.0'])('clean cards in version %s are read as ical.js reads them', version => {
  holds(
    fc.property(fc.array(person, { minLength: 1, maxLength: 5 }), people => {
      const cards = people.map(each => writtenByIcal(each, version))
      const { entries } = readAll(cards.join(''))
      expect(entries.map(({ name, phoneNumbers, emails }) => ({ name, phoneNumbers, emails }))).toEqual(
        cards.map(card => ({ ...readByIcal(card), name: readByIcal(card).name.replace(/\s+/g, ' ').trim() })),
      )
    }),
  )
})
