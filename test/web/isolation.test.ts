import { defaultLimits } from '@kith/shared'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { balanced, isolated } from '../../examples/web/src/isolation.ts'
import { holds } from '../support/properties.ts'
import { teller } from './support/told-frames.ts'

/** Text with letters of both directions, marks that change the direction, and line breaks. */
const anyWords = fc.string({
  unit: fc.constantFrom(...'ab 1רم\n', ...'\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2029'),
})

test('text that cannot change the direction is printed as it is', () => {
  for (const words of ['', 'Bob', '+44 1632 960001', 'Zoë “the cat” 猫 🙂']) expect(isolated(words)).toBe(words)
})

test('right-to-left text, and text with directional marks, is isolated', () => {
  expect(isolated('רחל')).toBe('\u2068רחל\u2069')
  expect(isolated('a\u202Eb')).toBe('\u2068a\u202Eb\u2069')
})

test('the isolate of any text ends with the text, and nothing else of the text is lost', () => {
  holds(
    fc.property(anyWords, words => {
      const text = balanced(words)
      expect(text).not.toMatch(/[\n\u2029]/)
      let depth = 0
      for (const character of text) {
        if (/[\u2066-\u2068]/.test(character)) depth++
        if (character === '\u2069') depth--
        expect(depth).toBeGreaterThanOrEqual(0)
      }
      expect(depth).toBe(0)
      const rest = (of: string): string => of.replace(/[\u2069]/g, '').replace(/[\n\u2029]/g, ' ')
      expect(rest(text)).toBe(rest(words))
    }),
  )
})

test('names, fields, labels and messages are isolated in the words of the trace', () => {
  const name = 'a\u202Eb'
  // A user id contains no such mark, but may contain right-to-left letters.
  const [id, isolate] = ['a\u05D0', '\u2068A\u05D0\u2069']
  const words = '\u2068a\u202Eb\u2069'
  const told = teller()
  told.received({
    ...{ type: 'welcome', isFresh: true, isErased: false, incarnation: new Uint8Array(16), limits: defaultLimits },
  })
  expect(told.sent({ type: 'fetch', owner: id }).text).toBe(`Alice’s phone asks to see ${isolate}`)
  expect(told.received({ type: 'message', id: '1', from: id, text: name }).text).toBe(
    `Alice’s phone got a message from ${isolate}: “${words}”`,
  )
  const cursor = new Uint8Array()
  expect(told.received({ type: 'profile', owner: id, level: 0, fields: { [name]: name }, cursor })).toMatchObject({
    text: `Alice’s phone got ${isolate}’s level 0: ${words}`,
    detail: [`${words}: “${words}”`],
  })
})
