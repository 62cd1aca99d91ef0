import { TestClock } from '@kith/server/testing'
import { type CloseCode, closeCodes, defaultLimits } from '@kith/shared'
import { expect, test } from 'vitest'
import { type Context, type DeviceSocket, RateLimits, Session, TokenBucket } from '../support/server-internals.ts'

const hourMs = 3_600_000
const jumps = [hourMs, -hourMs, 87_600 * hourMs, -87_600 * hourMs]

test.each(jumps)('a session lasts as long as its token, from the sign-in on, when the clock is set by %i ms', byMs => {
  for (const lastsMs of [hourMs, 72 * hourMs]) {
    const clock = new TestClock()
    const closed: CloseCode[] = []
    const session = new Session(
      { on: () => undefined, close: (code: CloseCode) => void closed.push(code) } as unknown as DeviceSocket,
      { user: 'alice', expiresAtMs: clock.now() + lastsMs, signedInAt: 0 },
      contextOf(clock),
    )
    clock.move(lastsMs / 2)
    clock.set(byMs)
    clock.move(lastsMs / 2 - 1)
    expect([closed, session.isClosed]).toEqual([[], false])
    clock.move(1)
    expect(closed).toEqual([closeCodes.unauthorised])
  }
})

test.each(jumps)(
  '[S3] a rate limit allows no more than its burst, and waits no longer than needed, when the clock is set by %i ms',
  byMs => {
    const clock = new TestClock()
    const rate = new TokenBucket(clock, 10, 100)
    expect(rate.take(100)).toBe(0)
    clock.set(byMs)
    const waitMs = rate.take(1)
    expect(waitMs).toBeLessThanOrEqual(100)
    clock.move(waitMs)
    expect(rate.take(1)).toBe(0)
    expect(rate.take(101)).toBeGreaterThan(0)
  },
)

function contextOf(clock: TestClock): Context {
  return {
    ...{ clock, rates: new RateLimits(defaultLimits, clock) },
    metrics: { closed: { inc: () => undefined } },
    relay: { leave: () => undefined },
    answers: { changed: () => undefined },
  } as unknown as Context
}
