import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { accountsOver } from '../support/account-world.ts'
import type { Device } from '../support/raw-device.ts'
import { Incarnations } from '../support/server-internals.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

async function erase(world: World, user: string): Promise<void> {
  expect((await world.admin('DELETE', `/v1/users/${user}`)).status).toBe(204)
  world.clock.leap(5) // A token that is issued now is later than the revocation.
}

async function isRegistered(world: World, user: string): Promise<boolean> {
  return (await world.admin('GET', `/v1/users/${user}`)).status === 200
}

/** A device whose account is erased while the device is away. It says hello before it sends anything, as Kith's client does. */
async function endedDevice(world: World): Promise<Device> {
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.setField('name', 'the erased name')
  alice.edit('bob', { levels: [5], label: 'an erased label' })
  bob.edit('alice', { isSubscribed: true })
  await settle(alice, bob)
  await alice.close()
  await erase(world, 'alice')
  alice.answersSteps = false
  return alice
}

function hello(device: Device): void {
  const { cursor, incarnation } = device
  device.send({ type: 'hello', version: 1, cursor, incarnation, owners: ['bob'] })
}

test('[D7] a device of an erased account gets welcome with flag 2, nothing of the next account and no feed, and is closed with 4403', async () => {
  const world = await serverWorld()
  const old = await endedDevice(world)
  const [next] = await world.devices('alice')
  next.setField('name', 'the name of the next holder')
  next.edit('carol', { label: 'a label of the next holder' })
  await settle(next)
  await old.dial()
  await old.until('the first frame', () => old.frames.at(-1)?.type === 'rosterSync')
  const from = old.frames.length
  hello(old)
  old.send({ type: 'rosterSync', step: 'step1', payload: Uint8Array.of(0) })
  old.send({ type: 'ownProfile', step: 'step1', payload: Uint8Array.of(0) })
  expect(await old.closed()).toMatchObject({ code: 4403, reason: expect.stringContaining('account-erased') })
  expect(old.frames.slice(from)).toMatchObject([{ type: 'welcome', isErased: true }])
  expect(old.received('of the next holder')).toBe(false)
  expect(old.all('welcome').at(-1)?.incarnation).toEqual(next.incarnation)
})

test('[D7] updates of a device whose account was erased are not written, and register no user', async () => {
  const world = await serverWorld()
  const old = await endedDevice(world)
  const bob = world.device('bob')
  await bob.signIn()
  await old.dial()
  hello(old)
  old.send({ type: 'rosterSync', step: 'step2', payload: Y.encodeStateAsUpdate(old.roster) })
  old.send({ type: 'ownProfile', step: 'step2', payload: Y.encodeStateAsUpdate(old.profile) })
  old.send({ type: 'sendMessage', id: 'late', to: 'bob', text: 'from an erased account' })
  old.send({ type: 'fetch', owner: 'carol' })
  old.send({ type: 'watch', owners: ['bob'] })
  expect((await old.closed()).code).toBe(4403)
  expect(await isRegistered(world, 'alice')).toBe(false)
  await settle(bob)
  expect(bob.received('from an erased account')).toBe(false)
  const [next] = await world.devices('alice')
  await settle(next)
  expect([next.roster.getMap('labels').size, next.profile.getMap('fields').size]).toEqual([0, 0])
  expect(await world.check()).toEqual([])
})

test('[D7] a device of an erased account changes no presence, and sends and receives no message', async () => {
  const world = await serverWorld()
  const old = await endedDevice(world)
  await world.admin('PUT', '/v1/users/alice')
  const bob = world.device('bob')
  await bob.signIn()
  await settle(bob)
  bob.confirm('alice')
  await settle(bob)
  bob.send({ type: 'watch', owners: ['alice'] })
  await bob.next('presence')
  const states = (): string[] => bob.all('presence').map(({ state }) => state.is)
  await old.dial()
  hello(old)
  old.send({ type: 'sendMessage', id: 'late', to: 'bob', text: 'from the erased account' })
  expect(await bob.sendMessage('alice', 'for the next holder')).toBe('undelivered')
  await old.closed()
  await settle(bob)
  expect(states()).toEqual(['offline'])
  expect([old.received('for the next holder'), bob.received('from the erased account')]).toEqual([false, false])

  const [next] = await world.devices('alice')
  await old.dial()
  hello(old)
  await old.closed()
  for (let seconds = 0; seconds < 40; seconds += 5) {
    world.clock.move(5_000)
    await settle(bob, next)
  }
  expect(states()).toEqual(['offline', 'online'])
})

test('[D7] a store that was lost is refilled by its devices: they synced with another store, and are not erased', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  alice.setField('name', 'Ada')
  await settle(alice)
  await alice.close()
  const other = new Incarnations(Incarnations.newIdentity())
  alice.incarnation = other.of('alice', 0)
  await erase(world, 'alice')
  await alice.signIn()
  await settle(alice)
  expect(alice.all('welcome').at(-1)).toMatchObject({ isErased: false })
  expect(await isRegistered(world, 'alice')).toBe(true)
})

test('[D7] a store that is older than the account of a device does not take it, until the account is erased again', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  await alice.close()
  const ofThisStore = new Incarnations(new Uint8Array(32).fill(7))
  expect(alice.incarnation).toEqual(ofThisStore.of('alice', 0))
  alice.incarnation = ofThisStore.of('alice', 1)
  await alice.dial()
  hello(alice)
  expect((await alice.closed()).code).toBe(4500)
  expect(alice.all('welcome')).toHaveLength(1)
  await erase(world, 'alice')
  await alice.signIn()
  expect(alice.all('welcome').at(-1)).toMatchObject({ isErased: false, incarnation: alice.incarnation })
})

test('[D7] an incarnation is of one user id, and no other id’s passes for it', () => {
  const incarnations = new Incarnations(Incarnations.newIdentity())
  const ofAlice = incarnations.of('alice', 3)
  expect(incarnations.stateOf(ofAlice, 'alice', 3)).toBe('current')
  expect(incarnations.stateOf(ofAlice, 'alice', 4)).toBe('ended')
  expect(incarnations.stateOf(ofAlice, 'alice', 2)).toBe('later')
  expect(incarnations.stateOf(ofAlice, 'bob', 3)).toBe('later')
  expect(incarnations.stateOf(new Uint8Array(), 'alice', 3)).toBe('unknown')
  expect(incarnations.stateOf(new Uint8Array(64), 'alice', 3)).toBe('unknown')
  expect(new Incarnations(Incarnations.newIdentity()).stateOf(ofAlice, 'alice', 3)).toBe('unknown')
})

test('[D7] incarnations reveal no count: equal numbers of erasures of two ids look different', () => {
  const incarnations = new Incarnations(Incarnations.newIdentity())
  const shown = ['alice', 'bob'].flatMap(user => [0, 1, 2].map(number => incarnations.tokenOf(user, number)))
  expect(new Set(shown).size).toBe(6)
  for (const token of shown) expect(token).toMatch(/^[A-Za-z0-9_-]{11}$/)
})

test('[D7] writes of a session that stand in the queue as its account is erased are not written into the next account', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  const held = world.disk.hold()
  alice.edit('bob', { label: 'held' })
  await held
  // The first write holds up the queue. These writes wait behind it, and the erasure waits behind them.
  alice.edit('carol', { label: 'a label of the erased account' })
  alice.setField('name', 'a name of the erased account')
  alice.send({ type: 'queryAwareness' })
  await alice.next('awareness')
  const erased = world.admin('DELETE', '/v1/users/alice')
  world.disk.release()
  expect((await erased).status).toBe(204)
  expect((await alice.closed()).code).toBe(4401)
  world.clock.leap(5)
  const [next] = await world.devices('alice')
  await settle(next)
  expect(next.received('of the erased account')).toBe(false)
  expect(await world.check()).toEqual([])
})

test('[D7] a device that signs in during the erasure of its account is closed, or gets welcome with flag 2', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  alice.setField('name', 'the erased name')
  await settle(alice)
  await alice.close()
  const held = world.disk.hold()
  alice.answersSteps = false
  const erased = world.admin('DELETE', '/v1/users/alice')
  await held // The revocation is being written.
  await alice.dial()
  world.disk.release()
  hello(alice)
  alice.send({ type: 'rosterSync', step: 'step2', payload: Y.encodeStateAsUpdate(alice.roster) })
  expect((await erased).status).toBe(204)
  expect([4401, 4403, 4500]).toContain((await alice.closed()).code)
  expect(await isRegistered(world, 'alice')).toBe(false)
})

test('[D7] a token that is issued at once does not bring the account back while it is being erased', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  alice.setField('name', 'the erased name')
  await settle(alice)
  const erased = world.admin('DELETE', '/v1/users/alice')
  await alice.closed() // The erasure itself may still be under way.
  world.clock.leap(5)
  alice.answersSteps = false
  await alice.dial()
  hello(alice)
  alice.send({ type: 'rosterSync', step: 'step2', payload: Y.encodeStateAsUpdate(alice.roster) })
  expect((await erased).status).toBe(204)
  expect((await alice.closed()).code).toBe(4403)
  expect(await isRegistered(world, 'alice')).toBe(false)
})

test('[D7] a look-up of a session that ends is not counted for the next holder', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  const held = world.disk.hold()
  const erased = world.admin('DELETE', '/v1/users/alice')
  await held
  alice.send({ type: 'fetch', owner: 'carol' })
  alice.send({ type: 'queryAwareness' })
  await alice.next('awareness')
  world.disk.release()
  expect((await erased).status).toBe(204)
  const keys = await world.disk.database.keys().all()
  expect(keys.filter(key => key.startsWith('asked'))).toEqual([])
})

test('[D7] an erasure that the disk refuses rejects, and the account takes the next one', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const refusing = Object.create(store) as typeof store
  refusing.commit = () => Promise.reject(new Error('the disk is full'))
  const { accounts } = accountsOver(refusing, clock)
  const failures: unknown[] = []
  accounts.erase('alice').catch(error => failures.push(error))
  await accounts.idle()
  expect(failures).toMatchObject([{ message: 'the disk is full' }])
  refusing.commit = store.commit.bind(store)
  await accounts.erase('alice')
})
