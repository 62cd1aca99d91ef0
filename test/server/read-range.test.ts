import { describe, expect, test } from 'vitest'
import { PagedReads, ReadGate } from '../support/server-internals.ts'
import { type DatabaseKind, newDatabase } from '../support/stores.ts'

const keyOf = (number: number): string => `k${String(number).padStart(4, '0')}`

/** Writes records of a size between two others, and reads the range without these. */
async function readBack(kind: DatabaseKind, count: number, bytes: number): Promise<[string, number][]> {
  const database = await newDatabase(kind)
  const keys = Array.from({ length: count }, (_, number) => keyOf(number))
  const records = ['k', ...keys, 'l'].map(key => ({ type: 'put' as const, key, value: new Uint8Array(bytes) }))
  await database.batch(records)
  const entries = await new PagedReads(database, new ReadGate()).all({ gt: 'k', lt: 'l' })
  return entries.map(([key, value]) => [key, value.length])
}

describe.each(['memory', 'level'] as const)('[D2] a range of the %s database is read whole, in order', kind => {
  test.each([0, 1, 15, 16, 17, 265, 266, 267, 700])('with %i records', async count => {
    expect(await readBack(kind, count, 10)).toEqual(Array.from({ length: count }, (_, number) => [keyOf(number), 10]))
  })

  // LevelDB ends a part after 16 KB, before it has the number of entries that were asked for.
  test.each([3_000, 20_000])('with 40 records of %i bytes', async bytes => {
    expect(await readBack(kind, 40, bytes)).toEqual(Array.from({ length: 40 }, (_, number) => [keyOf(number), bytes]))
  })
})
