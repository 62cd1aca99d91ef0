import { expect, test } from 'vitest'
import { encodeRelation, noRelation, relationsDecoder } from '../support/server-internals.ts'

const followed = (level: number, changedAt: number): Uint8Array =>
  encodeRelation({
    ...noRelation,
    mySide: { said: { ...noRelation.mine, isSubscribed: true, levels: [level] }, unconfirmed: '' },
    changedAt,
  })

test('[S3] relations of one user with the same bytes are one object, and each says what its bytes say', () => {
  const decode = relationsDecoder()
  const first = decode(followed(1, 7))
  expect(first).toMatchObject({ mine: { isSubscribed: true, levels: [1] }, changedAt: 7 })
  expect(decode(followed(1, 7))).toBe(first)
  expect(decode(followed(2, 7))).toMatchObject({ mine: { levels: [2] }, changedAt: 7 })
  expect(decode(followed(1, 8))).toMatchObject({ mine: { levels: [1] }, changedAt: 8 })
  // Bytes above 127, and a view of a larger buffer.
  expect(decode(followed(200, 9_000)).mine.levels).toEqual([200])
  const bytes = followed(3, 7)
  const within = new Uint8Array(bytes.length + 8).fill(255)
  within.set(bytes, 4)
  expect(decode(within.subarray(4, 4 + bytes.length)).mine.levels).toEqual([3])
})

test('[S3] what is remembered to share relations is bounded', () => {
  const decode = relationsDecoder()
  const relations = Array.from({ length: 1_024 }, (_, changedAt) => decode(followed(1, changedAt)))
  const beyond = followed(1, 1_024)
  expect(decode(beyond)).not.toBe(decode(beyond))
  expect(decode(beyond)).toEqual(decode(beyond))
  expect(decode(followed(1, 0))).toBe(relations[0])
})
