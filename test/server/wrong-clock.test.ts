import { expect, test } from 'vitest'
import type { Device } from '../support/raw-device.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'

const dayMs = 86_400_000
const yearMs = 365 * dayMs

async function signsIn(device: Device): Promise<boolean> {
  const before = device.frames.length
  await device.dial()
  const hasBegun = device.until('the first frame', () => device.frames.length > before)
  const isIn = await hasBegun.then(
    () => true,
    () => false,
  )
  device.drop()
  await device.closed()
  return isIn
}

/** Runs `work` while the server's clock is years ahead, and then corrects the clock. */
async function withClockAhead(world: World, work: () => Promise<unknown>): Promise<void> {
  world.clock.leap(5 * yearMs)
  await work()
  world.clock.leap(-5 * yearMs)
}

test.each([
  ['sessions/revoke', (world: World) => world.admin('POST', '/v1/users/alice/sessions/revoke')],
  ['DELETE', (world: World) => world.admin('DELETE', '/v1/users/alice')],
])(
  '[D7] tokens that a clock years ahead revoked by %s count again once they are revoked again',
  async (_name, revoke) => {
    const world = await serverWorld()
    await world.admin('PUT', '/v1/users/alice')
    await withClockAhead(world, () => revoke(world))
    world.clock.leap(1000)
    const alice = world.device('alice')
    expect(await signsIn(alice)).toBe(false)
    const before = await world.token('alice')
    world.clock.leap(1000)
    await world.admin('POST', '/v1/users/alice/sessions/revoke')
    world.clock.leap(1000)
    expect(await signsIn(alice)).toBe(true)
    await alice.dial({ offer: ['kith.v1', `bearer.${before}`] })
    expect((await alice.closed()).code).toBe(4401)
  },
)

test('[S4] a budget of look-ups that was spent by a clock years ahead refills from when the clock is right', async () => {
  const world = await serverWorld({ limits: { lookups: 2, lookupsPerDay: 2 } })
  const [alice] = await world.devices('alice')
  await withClockAhead(world, async () => {
    for (const owner of ['w', 'x']) await alice.fetch(owner)
  })
  expect(await alice.fetch('y')).toMatchObject({ type: 'failure', code: 'discovery-limit', retryAfterMs: dayMs / 2 })
  world.clock.leap(dayMs / 2)
  expect(await alice.fetch('y')).toMatchObject({ type: 'access' })
})

test('[S4] a follow that waits by a clock years ahead is served once its budget has refilled', async () => {
  const world = await serverWorld({ limits: { lookups: 1, lookupsPerDay: 1 } })
  const [alice, bob] = await world.devices('alice', 'bob')
  bob.setField('name', 'Bob')
  await settle(bob)
  await withClockAhead(world, async () => {
    await alice.fetch('x')
    alice.edit('bob', { isSubscribed: true })
    await settle(alice)
  })
  expect(alice.access.get('bob')?.isWaiting).toBe(true)
  await alice.close()
  await alice.signIn() // It is tried at each hello, and counted from the first.
  await alice.close()
  world.clock.leap(dayMs)
  await alice.signIn()
  await settle(alice)
  expect(alice.sees('bob')).toEqual({ name: 'Bob' })
})

test('last seen is unknown while it was dated by a clock years ahead', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  world.clock.leap(5 * yearMs)
  await alice.close()
  world.clock.move(11_000)
  await settle(bob)
  world.clock.leap(-5 * yearMs)
  bob.send({ type: 'watch', owners: ['alice'] })
  await bob.next('presence')
  expect(bob.all('presence').at(-1)?.state).toEqual({ is: 'offline' })
})

test('[F3] a join that was dated by a clock years ahead does not suppress the next one', async () => {
  const world = await serverWorld()
  const [bob] = await world.devices('bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  await withClockAhead(world, () => world.admin('PUT', '/v1/users/alice'))
  await settle(bob)
  await world.admin('DELETE', '/v1/users/alice')
  await settle(bob)
  bob.confirm('alice')
  await settle(bob)
  await world.admin('PUT', '/v1/users/alice')
  await settle(bob)
  expect(bob.all('access').filter(({ hasJustJoined }) => hasJustJoined)).toHaveLength(2)
})

test('[F1] after a clock that was years ahead is corrected, a returning device gets only what changed', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(alice, bob)
  await withClockAhead(world, async () => {
    alice.setField('name', 'Ada')
    await settle(alice)
  })
  alice.setField('mood', 'well')
  await settle(alice, bob)
  await bob.close()
  for (let day = 0; day < 3; day++) {
    world.clock.leap(dayMs)
    await world.admin('PUT', '/v1/users/carol')
  }
  await bob.dial()
  expect(await bob.hello()).toEqual({ isFresh: false })
})
