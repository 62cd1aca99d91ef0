import { expect, test } from 'vitest'
import type { Device } from '../support/raw-device.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'

const dayMs = 86_400_000

async function erase(world: World, user: string): Promise<void> {
  expect((await world.admin('DELETE', `/v1/users/${user}`)).status).toBe(204)
  world.clock.leap(5) // A token that is issued now is later than the revocation.
}

/** A new user signs in under an id. */
async function nextHolder(world: World, user: string): Promise<Device> {
  const device = world.device(user)
  device.setField('name', 'Next')
  await device.signIn()
  return device
}

/** Bob lists, follows and grants Alice's id; Alice is erased. */
async function handedOver(): Promise<{ world: World; bob: Device }> {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.setField('name', 'the old holder')
  bob.setField('name', 'Bob')
  bob.setField('phone', 'a number for the old holder', 5)
  bob.edit('alice', { levels: [5], isSubscribed: true })
  await settle(alice, bob)
  expect([alice.sees('bob'), bob.sees('alice')]).toMatchObject([{ name: 'Bob' }, { name: 'the old holder' }])
  await erase(world, 'alice')
  await settle(bob)
  return { world, bob }
}

test('[D7] grants to the former holder show nothing to the next holder of an id until they are confirmed', async () => {
  const { world, bob } = await handedOver()
  const next = await nextHolder(world, 'alice')
  await settle(next, bob)
  expect([next.sees('bob'), next.all('access')]).toEqual([{}, []])
  expect(await world.visibleLevels('bob', 'alice')).toEqual([0])
  next.edit('bob', { isSubscribed: true })
  await settle(next)
  expect(next.received('a number for the old holder')).toBe(false)
  bob.confirm('alice')
  await settle(bob, next)
  expect(next.sees('bob')).toEqual({ name: 'Bob', phone: 'a number for the old holder' })
  expect(await world.check()).toEqual([])
})

test('[D7] a follow of an id does not count for its next holder, until it is confirmed', async () => {
  const { world, bob } = await handedOver()
  await nextHolder(world, 'alice')
  await settle(bob)
  expect([bob.sees('alice'), bob.received('Next')]).toEqual([{}, false])
  bob.confirm('alice')
  await settle(bob)
  expect(bob.sees('alice')).toEqual({ name: 'Next' })
  expect(bob.access.get('alice')).not.toHaveProperty('changedHands')
})

test('[V7][D7] a device that was away from before the erasure until after the confirmation keeps nothing of the old holder', async () => {
  const world = await serverWorld()
  const [alice, phone, laptop] = await world.devices('alice', 'bob', 'bob')
  alice.setField('name', 'the old holder')
  alice.setField('phone', 'a number of the old holder', 3)
  alice.edit('bob', { levels: [3] })
  phone.edit('alice', { isSubscribed: true })
  await settle(alice, phone, laptop)
  expect(laptop.sees('alice')).toEqual({ name: 'the old holder', phone: 'a number of the old holder' })
  await laptop.close()
  await erase(world, 'alice')
  await settle(phone)
  // The next holder has never set a field, so no level of the new account is stored.
  const [next] = await world.devices('alice')
  next.edit('bob', { levels: [3] })
  phone.confirm('alice')
  await settle(next, phone)
  await laptop.signIn()
  expect(laptop.access.get('alice')?.levels).toEqual([0, 3])
  expect(laptop.sees('alice')).toEqual({})
})

test('[D7] a grant that is revoked and made again counts for the next holder', async () => {
  const { world, bob } = await handedOver()
  const next = await nextHolder(world, 'alice')
  bob.edit('alice', { levels: null, isSubscribed: false })
  await settle(bob)
  expect(bob.access.get('alice')).not.toHaveProperty('changedHands')
  bob.edit('alice', { levels: [5], isSubscribed: true })
  await settle(bob, next)
  expect([next.sees('bob')['phone'], bob.sees('alice')]).toEqual(['a number for the old holder', { name: 'Next' }])
  expect(await world.check()).toEqual([])
})

test('[D7] more grants to an id that changed hands do not count either, while it is unconfirmed', async () => {
  const { world, bob } = await handedOver()
  bob.setField('home', 'an address', 7)
  bob.edit('alice', { levels: [5, 7] })
  const next = await nextHolder(world, 'alice')
  next.edit('bob', { isSubscribed: true })
  await settle(bob, next)
  expect(next.sees('bob')).toEqual({ name: 'Bob' })
})

test('[D7][V1] a block and a decline of an id count for its next holder', async () => {
  const world = await serverWorld()
  const [, bob, carol] = await world.devices('alice', 'bob', 'carol')
  bob.setField('name', 'Bob')
  bob.edit('alice', { levels: [5], isBlocked: true })
  carol.edit('alice', { isSubscribed: true })
  carol.edit('alice', { isSubscribed: false })
  await settle(bob, carol)
  await erase(world, 'alice')
  const next = await nextHolder(world, 'alice')
  next.edit('bob', { isSubscribed: true, levels: [1] })
  next.edit('carol', { levels: [1] })
  await settle(next, bob, carol)
  expect(next.sees('bob')).toEqual({})
  const outcome = next.sendMessage('bob', 'hello')
  await next.barrier()
  world.clock.move(1_000)
  expect([await outcome, bob.received('hello')]).toEqual(['unconfirmed', false])
  expect(carol.sees('alice')).toEqual({})
  bob.confirm('alice')
  await settle(bob, next)
  expect(next.sees('bob')).toEqual({})
})

test('[D7][V3] with the audience `contacts` the next holder of a contact’s id sees nothing', async () => {
  const world = await serverWorld()
  const [, bob] = await world.devices('alice', 'bob')
  bob.setField('name', 'Bob')
  bob.setAudience('contacts')
  bob.edit('alice', { levels: [] })
  await settle(bob)
  expect(await world.visibleLevels('bob', 'alice')).toEqual([0])
  await erase(world, 'alice')
  const next = await nextHolder(world, 'alice')
  next.edit('bob', { isSubscribed: true })
  await settle(next, bob)
  expect([next.sees('bob'), await world.visibleLevels('bob', 'alice')]).toEqual([{}, []])
  bob.confirm('alice')
  await settle(bob, next)
  expect(next.sees('bob')).toEqual({ name: 'Bob' })
})

test('[D7] a grant to the former holder, or a follow by the former holder, shows no presence', async () => {
  const world = await serverWorld()
  const [, bob] = await world.devices('alice', 'bob')
  bob.setAudience('nobody')
  bob.edit('alice', { levels: [0], isSubscribed: true })
  await settle(bob)
  await erase(world, 'alice')
  const next = await nextHolder(world, 'alice')
  next.edit('bob', { isSubscribed: true })
  await settle(next, bob)
  for (const [device, owner] of [
    [next, 'bob'],
    [bob, 'alice'],
  ] as const) {
    device.send({ type: 'watch', owners: [owner] })
    await device.next('presence')
    expect(device.all('presence').at(-1)?.state).toEqual({ is: 'unknown' })
  }
  bob.confirm('alice')
  await settle(bob, next)
  expect([next, bob].map(device => device.all('presence').at(-1)?.state.is)).toEqual(['online', 'online'])
})

test('[D7] users with grants or contacts of an id get access with flag 8 at its erasure, connected or on return, whether they follow it or not', async () => {
  const world = await serverWorld()
  const [alice, follower, lister, granter, away, stranger] = await world.devices('alice', 'f', 'l', 'g', 'a', 's')
  follower.edit('alice', { isSubscribed: true })
  lister.edit('alice', { levels: [] })
  for (const device of [granter, away]) device.edit('alice', { levels: [3] })
  stranger.edit('alice', { label: 'nothing given' })
  await settle(alice, follower, lister, granter, away, stranger)
  await away.close()
  await erase(world, 'alice')
  await settle(follower, lister, granter, stranger)
  await away.signIn()
  const fresh = world.device('g')
  await fresh.signIn()
  const told = [follower, lister, granter, away, fresh].map(device => device.access.get('alice')?.changedHands)
  expect(new Set(told).size).toBe(1)
  expect(told[0]).toMatch(/^[A-Za-z0-9_-]{11}$/)
  expect(stranger.access.has('alice')).toBe(false)
  for (const device of [follower, granter, away]) expect(device.sees('alice')).toEqual({})
})

test('[D7][F1] a device that has received the flag returns for the same few bytes, and does not get it again', async () => {
  const { world, bob } = await handedOver()
  await bob.close()
  await bob.signIn()
  await bob.close()
  const from = bob.frames.length
  await bob.signIn()
  expect(bob.frames.slice(from).filter(({ type }) => type === 'access')).toEqual([])
  bob.confirm('alice')
  await settle(bob)
  await bob.close()
  const fresh = world.device('bob')
  await fresh.signIn()
  expect(fresh.access.get('alice')?.changedHands).toBeUndefined()
})

test('[D7] a confirmation of one incarnation does not count for the next', async () => {
  const { world, bob } = await handedOver()
  bob.confirm('alice')
  await settle(bob)
  const first = bob.all('access').find(({ changedHands }) => changedHands)?.changedHands
  const second = await nextHolder(world, 'alice')
  await settle(bob)
  expect(bob.sees('alice')).toEqual({ name: 'Next' })
  await second.close()
  await erase(world, 'alice')
  const third = await nextHolder(world, 'alice')
  await settle(bob, third)
  expect([bob.sees('alice'), third.sees('bob')]).toEqual([{}, {}])
  expect(bob.access.get('alice')?.changedHands).toMatch(/./)
  expect(bob.access.get('alice')?.changedHands).not.toBe(first)
  bob.confirm('alice')
  await settle(bob, third)
  expect(bob.sees('alice')).toEqual({ name: 'Next' })
  expect([...bob.roster.getMap('confirmed').keys()]).toHaveLength(1)
})

test('[V8] an access comes at the erasure, and none when the next holder acts', async () => {
  const { world, bob } = await handedOver()
  const from = bob.frames.length
  const next = await nextHolder(world, 'alice')
  next.edit('bob', { isBlocked: true })
  next.setField('mood', 'well', 3)
  await settle(next, bob)
  await next.close()
  await settle(bob)
  expect(bob.frames.slice(from).filter(({ type }) => type !== 'reached')).toEqual([])
})

test('[D7][S4] a follow that ends with the incarnation frees its place for a waiting follow, and needs a place again', async () => {
  const world = await serverWorld({ limits: { follows: 1 } })
  const [, , bob] = await world.devices('alice', 'carol', 'bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  bob.edit('carol', { isSubscribed: true })
  await settle(bob)
  expect(bob.access.get('carol')?.isWaiting).toBe(true)
  await erase(world, 'alice')
  await settle(bob)
  expect(bob.access.get('carol')?.isWaiting).toBe(false)
  bob.confirm('alice')
  await settle(bob)
  expect(bob.access.get('alice')?.isWaiting).toBe(true)
  expect(await world.check()).toEqual([])
})

test('[D7] the backend’s settings and the spent budget of an id survive the account; its pairs do not', async () => {
  const world = await serverWorld({ limits: { lookups: 3, lookupsPerDay: 0 } })
  await world.admin('PUT', '/v1/users/alice', { restricted: true, announceJoin: false })
  await world.admin('PUT', '/v1/pairs/alice/bob')
  const [alice] = await world.devices('alice')
  for (const owner of ['x', 'y', 'z']) await alice.fetch(owner)
  expect(await alice.fetch('w')).toMatchObject({ type: 'failure', code: 'discovery-limit' })
  await erase(world, 'alice')
  expect((await world.admin('GET', '/v1/users/alice')).status).toBe(404)
  const { status, body } = await world.admin('PUT', '/v1/users/alice')
  expect([status, body]).toMatchObject([201, { restricted: true, announceJoin: false }])
  expect((await world.admin('GET', '/v1/users/alice/pairs')).body).toEqual({ pairs: [] })
  const [next] = await world.devices('alice')
  // The look-ups of the old holder are no longer known.
  expect(await next.fetch('x')).toMatchObject({ type: 'failure', code: 'discovery-limit' })
})

test('[F3] for an id that is registered and erased 20 times, a follower gets joined once in 30 days', async () => {
  const world = await serverWorld()
  const [bob] = await world.devices('bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  const joins = (): number => bob.all('access').filter(({ hasJustJoined }) => hasJustJoined).length
  for (let round = 0; round < 20; round++) {
    await world.admin('PUT', '/v1/users/alice')
    await settle(bob)
    await world.admin('DELETE', '/v1/users/alice')
    await settle(bob)
    // Confirmed each time; otherwise the follow would not count.
    bob.confirm('alice')
    await settle(bob)
  }
  expect(joins()).toBe(1)
  world.clock.leap(30 * dayMs)
  await world.admin('PUT', '/v1/users/alice')
  await bob.close()
  await bob.signIn()
  await settle(bob)
  expect(joins()).toBe(2)
  expect(await world.check()).toEqual([])
})

test('[D7][F3] a follow that does not count gets no `joined`', async () => {
  const { world, bob } = await handedOver()
  world.clock.leap(31 * dayMs)
  await world.admin('PUT', '/v1/users/alice')
  await bob.close()
  await bob.signIn()
  expect(bob.all('access').filter(({ hasJustJoined }) => hasJustJoined)).toEqual([])
})

test('[S2][D7] a confirmation is admitted by structure: `<incarnation>/<user id>` → true', async () => {
  const world = await serverWorld()
  const wrong = [
    { key: 'short/alice', value: true },
    { key: 'AQIDBAUGBwg/', value: true },
    { key: 'AQIDBAUGBwg/..', value: true },
    { key: 'AQIDBAUGBwg/alice', value: 'yes' },
  ]
  for (const { key, value } of wrong) {
    const [bob] = await world.devices('bob')
    const refused = bob.next('refused')
    bob.change([{ root: 'confirmed', key, value }])
    expect((await refused).code).toBe('malformed')
    bob.drop()
  }
  const [bob] = await world.devices('bob')
  bob.change([{ root: 'confirmed', key: 'AQIDBAUGBwg/alice', value: true }])
  expect(await bob.barrier()).toBe(true)
})
