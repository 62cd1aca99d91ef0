import { expect, test } from 'vitest'
import { copiesOf, othersTurn } from '../support/server-internals.ts'

const mebibyte = 1024 * 1024

test('[S3] a large document is copied for the thread in slices, between which others have their turn', async () => {
  const stored = new Uint8Array(5 * mebibyte + 3).map((_, index) => index * 31)
  const small = Uint8Array.of(1, 2, 3)
  let turns = 0
  let isDone = false
  const others = (async () => {
    while (!isDone) {
      await othersTurn()
      turns++
    }
  })()
  const copies = await copiesOf([small, stored, new Uint8Array(), stored])
  isDone = true
  await others
  expect(turns).toBeGreaterThanOrEqual(10)
  expect(copies.map(copy => Buffer.compare(copy, stored) === 0)).toEqual([false, true, false, true])
  // Each copy has its own buffer, which is transferred to the thread without another copy.
  expect(new Set(copies.map(({ buffer }) => buffer)).size).toBe(4)
  expect(copies.every(({ buffer, byteLength }) => buffer.byteLength === byteLength)).toBe(true)
  expect(copies[0]).toEqual(small)
})

test('[S3] small documents are copied at once', async () => {
  let isOthersTurn = false
  void othersTurn().then(() => {
    isOthersTurn = true
  })
  expect(await copiesOf([Uint8Array.of(7), Uint8Array.of(8)])).toEqual([Uint8Array.of(7), Uint8Array.of(8)])
  expect(isOthersTurn).toBe(false)
})
