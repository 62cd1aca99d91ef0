import * as encoding from 'lib0/encoding'
import { expect, test } from 'vitest'
import { decodeChanges, encodeChanges } from '../support/client-internals.ts'

const values = [
  '',
  '\ufeffAdä €',
  true,
  false,
  0,
  -0,
  42,
  -1.5,
  2 ** 40,
  Number.NaN,
  new Uint8Array([0, 255]),
  undefined,
]
const changes = values.map((value, index) => ({ root: 'fields', key: `\ufeff${index}/€`, value }))

test('[D5] changes of any value are read from the outbox as they were written', () => {
  expect(decodeChanges(encodeChanges(changes))).toStrictEqual(changes)
  expect(decodeChanges(encodeChanges([]))).toEqual([])
})

test('[D5] changes that were written as lib0 values are still read', () => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, changes.length)
  for (const { root, key, value } of changes) {
    encoding.writeVarString(encoder, root)
    encoding.writeVarString(encoder, key)
    encoding.writeAny(encoder, value)
  }
  expect(decodeChanges(encoding.toUint8Array(encoder))).toStrictEqual(changes)
})
