import { flatMapsOf, profileFields } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { serverWorld, settle } from '../support/server-world.ts'

const profile = '/v1/users/alice/profile'

test("[R6][V4] the backend's edit of a profile reaches the user's devices and those who may see it, and gives way to a later one", async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.edit('bob', { levels: [2] })
  alice.setField('name', 'Ada')
  bob.edit('alice', { isSubscribed: true })
  await settle(alice, bob)
  const change = {
    levels: { 0: { name: 'Ada Lovelace', age: 36 }, 2: { phone: '+441632960001', key: { base64: 'AQI=' } } },
  }
  expect(await world.admin('PATCH', profile, change)).toEqual({ status: 200, body: change })
  await settle(alice, bob)
  const key = Uint8Array.of(1, 2)
  expect(profileFields(flatMapsOf(alice.profile)).get(2)).toEqual({ phone: '+441632960001', key })
  expect(bob.sees('alice')).toEqual({ name: 'Ada Lovelace', age: 36, phone: '+441632960001', key })
  alice.setField('name', 'Countess')
  await settle(alice)
  await world.admin('PATCH', profile, { levels: { 2: { phone: null, key: null } } })
  expect((await world.admin('GET', profile)).body).toEqual({ levels: { 0: { age: 36, name: 'Countess' } } })
  expect(await world.check()).toEqual([])
})

test('[R3] an edit that changes nothing writes nothing', async () => {
  const world = await serverWorld()
  await world.admin('PUT', '/v1/users/alice')
  const change = { levels: { 0: { name: 'Ada' } } }
  await world.admin('PATCH', profile, change)
  const [alice] = await world.devices('alice')
  await settle(alice)
  const before = Y.encodeStateAsUpdate(alice.profile)
  expect(before.length).toBeGreaterThan(20)
  await world.admin('PATCH', profile, change)
  await settle(alice)
  expect(Y.encodeStateAsUpdate(alice.profile)).toEqual(before)
})

test('[R6] edits of the backend that come at the same time all count', async () => {
  const world = await serverWorld()
  await world.admin('PUT', '/v1/users/alice')
  const names = Array.from({ length: 20 }, (_, index) => `field ${index}`)
  await Promise.all(names.map(name => world.admin('PATCH', profile, { levels: { 1: { [name]: name } } })))
  const fields = Object.fromEntries(names.sort().map(name => [name, name]))
  expect((await world.admin('GET', profile)).body).toEqual({ levels: { 1: fields } })
})

test('[S2] an edit beyond a limit is refused as a whole, with the code that a device would get', async () => {
  const world = await serverWorld({ limits: { profileBytes: 200 } })
  await world.admin('PUT', '/v1/users/alice')
  await world.admin('PATCH', profile, { levels: { 0: { name: 'Ada' } } })
  const large = { levels: { 0: { name: 'Bob', note: 'x'.repeat(500) } } }
  expect(await world.admin('PATCH', profile, large)).toMatchObject({
    status: 400,
    body: { error: { code: 'profile-too-large' } },
  })
  expect((await world.admin('GET', profile)).body).toEqual({ levels: { 0: { name: 'Ada' } } })
  expect(await world.admin('PATCH', profile, { levels: { 0: { name: 'Eve' } } })).toMatchObject({ status: 200 })
})

test.each([
  [{ levels: { 256: { name: 'Ada' } } }],
  [{ levels: { '01': { name: 'Ada' } } }],
  [{ levels: { 0: { name: {} } } }],
  [{ levels: { 0: { name: { base64: '*' } } } }],
  [{ levels: { 0: { name: [1] } } }],
  [{ level: {} }],
  [{}],
])('the edit %j is malformed', async change => {
  const world = await serverWorld()
  await world.admin('PUT', '/v1/users/alice')
  expect(await world.admin('PATCH', profile, change)).toMatchObject({
    status: 400,
    body: { error: { code: 'malformed' } },
  })
})

test('a roster is read page by page, in the order of the ids, without those of whom it says nothing', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.edit('carol', { levels: [1, 5] })
  alice.edit('dora', { isSubscribed: true })
  alice.edit('eve', { isBlocked: true })
  bob.edit('alice', { levels: [] })
  await settle(alice, bob)
  const first = await world.admin('GET', '/v1/users/alice/roster?limit=2')
  const none = { isContact: false, levels: [], isSubscribed: false, isDeclined: false, isBlocked: false }
  expect(first.body).toEqual({
    contacts: [
      { ...none, id: 'carol', isContact: true, levels: [1, 5] },
      { ...none, id: 'dora', isSubscribed: true },
    ],
    next: 'dora',
  })
  const second = await world.admin('GET', '/v1/users/alice/roster?limit=2&after=dora')
  expect(second.body).toEqual({ contacts: [{ ...none, id: 'eve', isBlocked: true }] })
})

test("an export has all of a user's own data, and nothing that others say of the user", async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.edit('bob', { levels: [2], label: 'Bob from work' })
  alice.setField('phone', '+441632960001', 2)
  bob.edit('alice', { isBlocked: true, label: 'secret label' })
  await settle(alice, bob)
  const { body } = await world.admin('GET', '/v1/users/alice/export')
  expect(body).toEqual({
    ...{ format: 'kith-account', version: 1, user: 'alice', exportedAt: expect.any(String) },
    profile: [{ level: 2, fields: { phone: '+441632960001' } }],
    contacts: [{ id: 'bob', label: 'Bob from work', isContact: true, levels: [2] }],
    ...{ settings: {}, privacy: [] },
  })
  expect(JSON.stringify(body)).not.toContain('secret')
  expect((await world.admin('GET', '/v1/users/nobody/export')).status).toBe(404)
})

test('[D7] an export says which contacts have another holder since', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice', 'bob')
  alice.edit('bob', { levels: [2] })
  alice.edit('carol', { levels: [2] })
  await settle(alice)
  await world.admin('DELETE', '/v1/users/bob')
  await world.admin('PUT', '/v1/users/bob')
  const { body } = await world.admin('GET', '/v1/users/alice/export')
  expect((body as { contacts: unknown }).contacts).toEqual([
    { id: 'bob', isContact: true, levels: [2], hasChangedHands: true },
    { id: 'carol', isContact: true, levels: [2] },
  ])
})

test('users are listed page by page, without those who have no account', async () => {
  const world = await serverWorld()
  for (const user of ['eve', 'ada', 'bob', 'carol']) await world.admin('PUT', `/v1/users/${user}`)
  await world.admin('DELETE', '/v1/users/bob')
  await world.admin('PUT', '/v1/pairs/ada/zoe')
  const first = (await world.admin('GET', '/v1/users?limit=2')).body as { users: { id: string }[]; next: string }
  expect(first.users.map(({ id }) => id)).toEqual(['ada', 'carol'])
  const second = await world.admin('GET', `/v1/users?limit=2&after=${first.next}`)
  expect(second.body).toEqual({ users: [{ id: 'eve', registered: true, restricted: false, announceJoin: true }] })
  expect((await world.admin('GET', '/v1/users?limit=many')).status).toBe(400)
})
