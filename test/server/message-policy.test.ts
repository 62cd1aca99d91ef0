import { expect, test } from 'vitest'
import { serverWorld } from '../support/server-world.ts'
import { temporaryFolder } from '../support/stores.ts'

const path = '/v1/message-policy'
const ofAlice = '/v1/users/alice/message-policy'

test('[S3] the backend’s rate for messages to one contact holds messages to that contact back, and no others', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice', 'bob', 'carol')
  await world.admin('PUT', path, { perContactPerMinute: 2 })
  for (const user of ['bob', 'carol']) await alice.fetch(user)
  const toBob = ['one', 'two', 'three'].map(text => alice.sendMessage('bob', text))
  expect(await Promise.all(toBob)).toEqual(['delivered', 'delivered', 'undelivered'])
  const refusals = alice.all('outcome').flatMap(({ refusal }) => (refusal ? [refusal] : []))
  expect(refusals).toEqual([{ code: 'too-many-messages', retryAfterMs: 30_000 }])
  expect(await alice.sendMessage('carol', 'one')).toBe('delivered')
  world.clock.move(30_000)
  expect(await alice.sendMessage('bob', 'four')).toBe('delivered')
})

test('a policy of one user counts before the policy for all, which counts before the server’s limit', async () => {
  const world = await serverWorld({ limits: { messagesPerContactPerMinute: 100 } })
  await world.admin('PUT', '/v1/users/alice')
  const read = async () => [(await world.admin('GET', ofAlice)).body, (await world.admin('GET', path)).body]
  const limits = { perContactPerMinute: 100, source: 'limits' }
  expect(await read()).toEqual([limits, limits])
  const forAll = { perContactPerMinute: 20, source: 'all-users' }
  expect(await world.admin('PUT', path, { perContactPerMinute: 20 })).toEqual({ status: 200, body: forAll })
  const own = { perContactPerMinute: null, source: 'user' }
  expect(await world.admin('PUT', ofAlice, { perContactPerMinute: null })).toEqual({ status: 200, body: own })
  expect(await read()).toEqual([own, forAll])
  expect((await world.admin('DELETE', ofAlice)).status).toBe(204)
  expect(await read()).toEqual([forAll, forAll])
  expect((await world.admin('DELETE', path)).status).toBe(204)
  expect(await read()).toEqual([limits, limits])
  for (const body of [{}, { perContactPerMinute: 0 }, { perContactPerMinute: 1.5 }, { perMinute: 1 }]) {
    expect(await world.admin('PUT', path, body)).toMatchObject({ status: 400, body: { error: { code: 'malformed' } } })
  }
  expect((await world.admin('PUT', '/v1/users/nobody/message-policy', { perContactPerMinute: 1 })).status).toBe(404)
  expect((await world.admin('GET', '/v1/users')).body).toMatchObject({ users: [{ id: 'alice' }] })
  expect(await world.check()).toEqual([])
})

test('[D4] policies are on disk, stay with an id whose account is erased, and count from the next message on', async () => {
  const world = await serverWorld({ folder: await temporaryFolder() })
  const [alice] = await world.devices('alice', 'bob')
  await alice.fetch('bob')
  expect(await alice.sendMessage('bob', 'one')).toBe('delivered')
  await world.admin('PUT', ofAlice, { perContactPerMinute: 1 })
  expect(await alice.sendMessage('bob', 'two')).toBe('delivered')
  expect(await alice.sendMessage('bob', 'three')).toBe('undelivered')
  await world.admin('PUT', path, { perContactPerMinute: 5 })
  await world.restart()
  expect((await world.admin('GET', ofAlice)).body).toEqual({ perContactPerMinute: 1, source: 'user' })
  await world.admin('DELETE', '/v1/users/alice')
  await world.admin('PUT', '/v1/users/alice')
  expect((await world.admin('GET', ofAlice)).body).toEqual({ perContactPerMinute: 1, source: 'user' })
  expect((await world.admin('GET', path)).body).toEqual({ perContactPerMinute: 5, source: 'all-users' })
})

test('[V8][V10] a refusal by the policy is the same whether the recipient is there, offline, unknown or has blocked the sender', async () => {
  const world = await serverWorld()
  const [alice, , carol] = await world.devices('alice', 'bob', 'carol')
  carol.edit('alice', { isBlocked: true })
  await world.admin('PUT', path, { perContactPerMinute: 1 })
  const refusals: unknown[] = []
  for (const user of ['bob', 'carol', 'nobody']) {
    await alice.fetch(user)
    alice.send({ type: 'sendMessage', id: `first-${user}`, to: user, text: 'one' })
    expect(await alice.sendMessage(user, 'two')).toBe('undelivered')
    refusals.push(alice.all('outcome').at(-1)?.refusal)
  }
  expect(refusals).toEqual(Array(3).fill({ code: 'too-many-messages', retryAfterMs: 60_000 }))
})

test('[S3] messages to the own devices have no rate of their own', async () => {
  const world = await serverWorld({ limits: { messagesPerContactPerMinute: 1 } })
  const [phone] = await world.devices('alice', 'alice')
  for (const text of ['one', 'two', 'three']) expect(await phone.sendMessage('alice', text)).toBe('delivered')
})
