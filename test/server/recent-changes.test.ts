import { expect, test } from 'vitest'
import { RecentChanges } from '../support/server-internals.ts'

test('[F1] owners whose profile changed after a position are found; for positions before the server’s start the answer is unknown', () => {
  const changes = new RecentChanges(10)
  changes.note('alice', 11)
  changes.note('bob', 12)
  changes.note('alice', 13)
  expect(changes.amongSince(['alice', 'bob', 'carol'], 10)).toEqual(['alice', 'bob'])
  expect(changes.amongSince(['alice', 'bob', 'carol'], 12)).toEqual(['alice'])
  expect(changes.amongSince(['alice', 'bob', 'carol'], 13)).toEqual([])
  expect(changes.amongSince(['alice'], 9)).toBe(undefined)
})

test('[F2] of more than 100,000 owners the most recent half is kept, and for the others the answer is unknown', () => {
  const changes = new RecentChanges(0)
  for (let position = 1; position <= 100_001; position++) changes.note(`owner ${position}`, position)
  expect(changes.amongSince(['owner 100001'], 100_000)).toEqual(['owner 100001'])
  expect(changes.amongSince(['owner 50002', 'owner 50001'], 50_001)).toEqual(['owner 50002'])
  expect(changes.amongSince(['owner 1'], 50_000)).toBe(undefined)
  expect(changes.amongSince(['owner 1'], 0)).toBe(undefined)
})
