import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import { RateLimits } from '../support/server-internals.ts'
import { limitsWith } from '../support/stores.ts'

const limits = limitsWith({
  ...{ writesPerSecond: 1, writesBurst: 3, messagesPerSecond: 2, messagesBurst: 4 },
  ...{ workPerSecond: 5, workBurst: 10 },
})

function newRates() {
  const clock = new TestClock()
  return { clock, rates: new RateLimits(limits, clock) }
}

const gone = (): boolean => false

test('[S3] all devices of a user share their rates, and users have their own', () => {
  const { rates } = newRates()
  expect(rates.of('alice')).toBe(rates.of('alice'))
  expect(rates.of('alice')).not.toBe(rates.of('bob'))
})

test('[S3] each rate of a user has the limits of its kind', () => {
  const { rates } = newRates()
  const { writes, messages, work } = rates.of('alice')
  expect([writes.take(3), messages.take(4), work.take(10)]).toEqual([0, 0, 0])
  // One second, divided by the tokens that are refilled in it.
  expect([writes.take(), messages.take(), work.take()]).toEqual([1_000, 500, 200])
})

test.each([
  ['writes', 3_000],
  ['messages', 2_000],
  ['work', 2_000],
] as const)('[S3] who spent the %s and left finds them spent until they are full again', (kind, fullMs) => {
  const { rates, clock } = newRates()
  const before = rates.of('alice')
  before[kind].take(limits[`${kind}Burst`])
  rates.sweep(gone)
  clock.move(fullMs - 1)
  rates.sweep(gone)
  expect(rates.of('alice')).toBe(before)
  clock.move(1)
  rates.sweep(gone)
  expect(rates.of('alice')).not.toBe(before)
})

test('[S3] the rates of a user who is here are kept, and those of others who left are forgotten', () => {
  const { rates } = newRates()
  const [alice, bob] = [rates.of('alice'), rates.of('bob')]
  rates.sweep(user => user === 'alice')
  expect(rates.of('alice')).toBe(alice)
  expect(rates.of('bob')).not.toBe(bob)
})
