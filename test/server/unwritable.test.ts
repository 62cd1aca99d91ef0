import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { userChange } from '../support/server-internals.ts'
import { Disk, openMemory, serverWorld, settle, type World } from '../support/server-world.ts'
import { limitsWith, newDatabase } from '../support/stores.ts'

/** Status and body, without a key. */
async function ask(world: World, path: string): Promise<[number, unknown]> {
  // Uses a separate connection, because a connection that is silent while the clock advances is closed.
  const response = await fetch(world.url + path, { headers: { connection: 'close' } })
  return [response.status, await response.json()]
}

const notReady = [503, { status: 'read-only', reason: 'the disk is full' }]
const ready = [200, { status: 'ready' }]

/** The store looks for room, finds it, and has opened the database again. */
async function takesChanges(world: World): Promise<void> {
  world.clock.move(1_000)
  await expect.poll(() => ask(world, '/readyz')).toEqual(ready)
}

test('[D2] while the disk is full, readyz returns 503 and reads are served; with room the server is ready without a restart', async () => {
  const world = await serverWorld()
  const [alice, bob, carol] = await world.devices('alice', 'bob', 'carol')
  bob.edit('alice', { isSubscribed: true })
  alice.setField('name', 'Ada')
  await settle(alice, bob, carol)
  bob.drop()
  alice.setField('name', 'Augusta')
  await settle(alice)
  expect(await ask(world, '/readyz')).toEqual(ready)

  world.disk.fill()
  alice.setField('mood', 'well')
  expect(await alice.closed()).toEqual({ code: 4500, reason: 'unavailable retry-after-ms=10000 the disk is full' })
  expect(await ask(world, '/readyz')).toEqual(notReady)
  expect(await ask(world, '/healthz')).toEqual([200, { status: 'ok' }])
  expect((await world.admin('GET', '/v1/users/alice')).status).toBe(200)
  expect(await world.visibleLevels('alice', 'bob')).toEqual([0])
  const put = await world.admin('PUT', '/v1/users/dave')
  expect(put).toMatchObject({ status: 503, body: { error: { code: 'unavailable', message: /the disk is full/ } } })

  await bob.signIn()
  expect(bob.sees('alice')).toEqual({ name: 'Augusta' })
  expect(await carol.barrier()).toBe(true)
  for (let second = 0; second < 20; second++) world.clock.move(1_000)
  expect(await ask(world, '/readyz')).toEqual(notReady)

  world.disk.makeRoom()
  await takesChanges(world)
  await alice.signIn()
  await settle(alice, bob)
  expect(bob.sees('alice')).toEqual({ name: 'Augusta', mood: 'well' })
  expect(world.errors).toHaveLength(1)
  expect(await world.check()).toEqual([])
})

test('[F1] a device whose change cannot be stored gets what it may see before it is disconnected', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.edit('bob', { isSubscribed: true })
  bob.setField('name', 'Bob')
  await settle(alice, bob)
  alice.drop()
  bob.setField('name', 'Robert')
  await settle(bob)
  world.disk.fill()
  alice.edit('carol', { label: 'Carol' })
  for (let attempt = 0; attempt < 2; attempt++) {
    await alice.dial()
    alice.send({ type: 'hello', version: 1, cursor: alice.cursor })
    expect(await alice.closed()).toMatchObject({ code: 4500, reason: /^unavailable retry-after-ms=10000 / })
    expect(alice.sees('bob')).toEqual({ name: 'Robert' })
    expect(alice.all('reached').every(({ isComplete }) => isComplete)).toBe(true)
  }
  world.disk.makeRoom()
  await takesChanges(world)
  await alice.signIn()
  expect(await world.check()).toEqual([])
})

test('[S4] a first-time look-up while changes are refused waits, and so does a message to that user', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  bob.setField('name', 'Bob')
  await settle(bob)
  world.disk.fill()
  const failure = { type: 'failure', code: 'unavailable', retryAfterMs: 10_000, addresses: ['bob'] }
  expect(await alice.fetch('bob')).toMatchObject(failure)
  const outcome = alice.next('outcome')
  alice.send({ type: 'sendMessage', id: '1', to: 'bob', text: 'hello' })
  expect(await outcome).toMatchObject({ refusal: { code: 'unavailable', retryAfterMs: 10_000 } })
  expect(alice.isConnected).toBe(true)
  world.disk.makeRoom()
  await takesChanges(world)
  expect(await alice.fetch('bob')).toMatchObject({ type: 'access', levels: [0] })
})

test('[D2] [D4] a change whose write failed but reached the disk is a normal change once there is room', async () => {
  const world = await serverWorld()
  const [alice, laptop, bob] = await world.devices('alice', 'alice', 'bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(alice, laptop, bob)
  world.disk.fill({ survives: true })
  alice.setField('name', 'Ada')
  expect((await alice.closed()).code).toBe(4500)
  // The server reads the document as it is on disk now.
  const read = laptop.next('ownProfile', ({ step }) => step === 'step2')
  laptop.send({ type: 'ownProfile', step: 'step1', payload: Y.encodeStateVector(laptop.profile) })
  await read
  expect(bob.received('Ada')).toBe(false)

  world.disk.makeRoom()
  await takesChanges(world)
  await settle(bob)
  expect(bob.sees('alice')).toEqual({ name: 'Ada' })
  laptop.setField('mood', 'well')
  await settle(laptop, bob)
  expect(bob.sees('alice')).toEqual({ name: 'Ada', mood: 'well' })
  expect(await world.check()).toEqual([])
})

test('a server that stops while its disk is full stops', async () => {
  const world = await serverWorld({ endsWithTest: false })
  const [alice] = await world.devices('alice')
  world.disk.fill()
  alice.setField('name', 'Ada')
  await alice.closed()
  await world.end()
})

test('[D2] a store that is closed while changes are refused is not reopened by the next check for room', async () => {
  const clock = new TestClock()
  const disk = new Disk(await newDatabase('memory'))
  const store = openMemory(disk, limitsWith(), clock)
  disk.fill()
  await expect(store.commit(userChange('alice'))).rejects.toMatchObject({ code: 'unavailable' })
  await store.close()
  disk.makeRoom()
  clock.move(10_000)
  for (let turns = 0; turns < 20; turns++) await new Promise(resolve => setImmediate(resolve))
  expect(disk.database.status).toBe('closed')
})
