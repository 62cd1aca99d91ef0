import { privacyNames } from '@kith/shared'
import { encodeFrame, wireVersion } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { Device } from '../support/raw-device.ts'
import { serverWorld, type World } from '../support/server-world.ts'

const cursor = new Uint8Array()
const later = wireVersion + 1

/** A device that offers to announce its wire version, and announces this one. */
async function greeting(world: World, version: number, oldest: number): Promise<Device> {
  const alice = world.device('alice')
  alice.answersSteps = false
  await alice.dial({ offer: ['kith.v1', `bearer.${await world.token('alice')}`, 'kith.v1+'] })
  alice.send({ type: 'hello', version, oldest, cursor })
  return alice
}

/** A welcomed device with a later wire. */
async function laterDevice(world: World): Promise<Device> {
  const alice = await greeting(world, later, wireVersion)
  await alice.until('welcome', () => alice.frames.some(({ type }) => type === 'welcome'))
  alice.send({ type: 'rosterSync', step: 'step2', payload: Y.encodeStateAsUpdate(alice.roster) })
  return alice
}

test('a device that offers kith.v1+ gets it, whatever else it offers, and one that does not gets kith.v1', async () => {
  const world = await serverWorld()
  const bearer = `bearer.${await world.token('alice')}`
  const selected: string[] = []
  for (const offer of [
    ['kith.v1', bearer, 'kith.v1+'],
    ['kith.v1+', 'kith.v1', bearer],
    ['kith.v1', bearer],
  ]) {
    const device = world.device('alice')
    await device.dial({ offer })
    selected.push(device.socket.protocol)
  }
  expect(selected).toEqual(['kith.v1+', 'kith.v1+', 'kith.v1'])
  const without = world.device('alice')
  await without.dial({ offer: ['kith.v1+', bearer] })
  expect((await without.closed()).code).toBe(4400)
})

test('the welcome says what the server understands to a device of wire 2, and has the bytes of wire 1 for others', async () => {
  const world = await serverWorld()
  const bob = world.device('bob')
  await bob.connect()
  await bob.hello()
  const welcome = bob.frames.find(({ type }) => type === 'welcome')
  expect(welcome).not.toHaveProperty('understands')
  const alice = await greeting(world, wireVersion, 1)
  expect(await alice.next('welcome')).toMatchObject({ understands: { wire: wireVersion, privacy: privacyNames } })
})

test('a device that is too new for the server is closed with 4427, and nothing of it is taken', async () => {
  const world = await serverWorld()
  const alice = await greeting(world, later, later)
  alice.send({ type: 'rosterSync', step: 'step2', payload: Y.encodeStateAsUpdate(alice.roster) })
  expect(await alice.closed()).toEqual({
    code: 4427,
    reason: `upgrade-required: a server of wire ${later}, and this one has ${wireVersion}`,
  })
  expect((await world.admin('GET', '/v1/users/alice')).status).toBe(404)
})

test('[S1] optional messages and bytes at the end of messages are passed over from a device of a later wire', async () => {
  const world = await serverWorld()
  const alice = await laterDevice(world)
  alice.socket.send(Uint8Array.of(200, 1, 1, 2, 3))
  const reached = alice.next('reached')
  alice.socket.send(Uint8Array.of(...encodeFrame({ type: 'barrier', id: 7, withFeed: true }), 9, 9))
  expect(await reached).toMatchObject({ id: 7, isComplete: true })
})

test.each([
  ['a message that is not optional', Uint8Array.of(199, 1)],
  [
    'bytes at the end of a document',
    Uint8Array.of(...encodeFrame({ type: 'ownProfile', step: 'update', payload: cursor }), 0),
  ],
  [
    'bytes at the end of the roster',
    Uint8Array.of(...encodeFrame({ type: 'rosterSync', step: 'update', payload: cursor }), 0),
  ],
])('[S1][S2] %s from a device of a later wire closes with 4427: it is too new', async (_, bytes) => {
  const world = await serverWorld()
  const alice = await laterDevice(world)
  alice.socket.send(bytes)
  expect(await alice.closed()).toMatchObject({ code: 4427, reason: expect.stringMatching(/^upgrade-required: /) })
})

/** A `hello` of this wire, in the form of wire 2, with this many owners and a cursor of this length. */
function helloOf(version: number, owners: number, cursorBytes: number): Uint8Array {
  const count = owners < 128 ? [owners] : [(owners & 127) | 128, owners >> 7]
  const ids = Array.from({ length: owners }, () => [1, 98]).flat()
  return Uint8Array.of(100, version, cursorBytes, ...new Uint8Array(cursorBytes), 0, ...count, ...ids, 1, 0, 0)
}

test.each([
  ['257 owners', 257, 0],
  ['a cursor of 65 bytes', 0, 65],
])('[S1] a hello with %s closes with 4427 if it is of a later wire, else with 4400', async (_, owners, cursorBytes) => {
  const world = await serverWorld()
  for (const [version, code] of [
    [later, 4427],
    [wireVersion, 4400],
  ] as const) {
    const alice = world.device('alice')
    await alice.dial({ offer: ['kith.v1', `bearer.${await world.token('alice')}`, 'kith.v1+'] })
    alice.socket.send(helloOf(version, owners, cursorBytes))
    expect((await alice.closed()).code).toBe(code)
  }
})

test.each([
  ['an optional message', Uint8Array.of(200, 1)],
  ['bytes at the end of a barrier', Uint8Array.of(...encodeFrame({ type: 'barrier', id: 7, withFeed: true }), 9)],
])('[S1] %s from a device of this wire closes with 4400', async (_, bytes) => {
  const world = await serverWorld()
  const alice = await greeting(world, wireVersion, 1)
  alice.socket.send(bytes)
  expect((await alice.closed()).code).toBe(4400)
})

test('[S3] each optional message counts as a write', async () => {
  const world = await serverWorld({ limits: { writesBurst: 10, writesPerSecond: 1 } })
  const alice = await laterDevice(world)
  for (let count = 0; count < 10; count++) alice.socket.send(Uint8Array.of(200, 1))
  expect(await alice.closed()).toMatchObject({ code: 4529, reason: expect.stringMatching(/^too-many-writes /) })
})

test('[S3] the bytes of an optional message are charged before what follows it is handled', async () => {
  const world = await serverWorld({ limits: { workPerSecond: 20, workBurst: 100 } })
  const alice = await laterDevice(world)
  const [bob] = await world.devices('bob')
  const optional = new Uint8Array(800 * 1024)
  optional.set([200, 1])
  alice.socket.send(optional)
  let isAnswered = false
  const answer = alice.barrier().then(() => {
    isAnswered = true
  })
  for (let round = 0; round < 20; round++) await bob?.barrier()
  expect(isAnswered).toBe(false)
  world.clock.move(14_000)
  await answer
})
