import { utf8Length } from '@kith/shared'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { holds } from '../support/properties.ts'

test('[S3] the UTF-8 length of a text is that of TextEncoder, also with lone surrogates', () => {
  const units = fc.oneof(
    fc.constantFrom(0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000),
    fc.nat(0xffff),
  )
  const texts = fc.array(units, { maxLength: 40 }).map(codes => String.fromCharCode(...codes))
  holds(
    fc.property(texts, text => {
      expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length)
    }),
    300,
  )
})
