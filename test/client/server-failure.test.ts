import type { KithError } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import type { Failure } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import { type ProfileFetches, reportFailure, Timers } from '../support/client-internals.ts'

/** How a device reacts to a failure that the server reports. */
function heard(failure: Partial<Failure>) {
  const clock = new TestClock()
  const timers = new Timers(clock)
  const errors: KithError[] = []
  const calls: string[] = []
  const fetches = {
    answered: (owner: string, isShown: boolean) => void calls.push(`${owner} is answered: ${isShown}`),
    again: async (owner: string) => void calls.push(`${owner} again`),
  } as unknown as ProfileFetches
  const whole: Failure = {
    ...{ type: 'failure', code: 'unavailable', retryAfterMs: 0, count: 1, addresses: ['bob', 'carol'] },
    ...failure,
  }
  reportFailure(whole, fetches, timers, error => void errors.push(error))
  return { clock, timers, errors, calls }
}

const answered = ['bob is answered: false', 'carol is answered: false']

test.each(['discovery-limit', 'unavailable'] as const)(
  '[S4] what the server left undone for now (%s) is asked for again when it says, and the app is told when that is',
  code => {
    const { clock, errors, calls } = heard({ code, retryAfterMs: 700, count: 2 })
    expect(errors).toMatchObject([{ code, retryAfterMs: 700, addresses: ['bob', 'carol'] }])
    expect(errors[0]?.message).toContain('left 2 undone')
    clock.move(699)
    expect(calls).toEqual(answered)
    clock.move(1)
    expect(calls).toEqual([...answered, 'bob again', 'carol again'])
    expect(clock.timerCount).toBe(0)
  },
)

test('[S4] the shortest wait that a server can name counts', () => {
  const { clock, errors, calls } = heard({ retryAfterMs: 1 })
  expect(errors[0]?.retryAfterMs).toBe(1)
  clock.move(1)
  expect(calls).toHaveLength(4)
})

test('what the server left undone without saying when to come again is not asked for by itself', () => {
  const { clock, errors, calls } = heard({ retryAfterMs: 0 })
  expect([errors[0]?.retryAfterMs, clock.timerCount]).toEqual([undefined, 0])
  expect(calls).toEqual(answered)
})

test('[S3] other limits are not asked against again, and say when the app may', () => {
  const { clock, errors, calls } = heard({ code: 'too-many-follows', retryAfterMs: 700 })
  expect([errors[0]?.retryAfterMs, clock.timerCount]).toEqual([700, 0])
  expect(calls).toEqual(answered)
})

test('[S3] users whose presence is not watched have not been answered as profiles', () => {
  const { calls, errors } = heard({ code: 'too-many-watched' })
  expect(calls).toEqual([])
  expect(errors).toHaveLength(1)
})

test('a session that ends asks for nothing again', () => {
  const { clock, timers, calls } = heard({ retryAfterMs: 700 })
  timers.end()
  clock.move(700)
  expect(calls).toEqual(answered)
})
