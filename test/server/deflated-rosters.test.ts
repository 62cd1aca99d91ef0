import { deflateRawSync } from 'node:zlib'
import { applyChanges } from '@kith/shared'
import { encodeFrame, maxInflatedBytes } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { Device } from '../support/raw-device.ts'
import { inflate } from '../support/server-internals.ts'
import { serverWorld } from '../support/server-world.ts'

/** Returns an update that adds this many contacts. */
function updateOf(count: number): Uint8Array {
  const doc = new Y.Doc()
  const contacts = Array.from({ length: count }, (_, index) => `contact-${index}`)
  applyChanges(
    doc,
    contacts.map(key => ({ root: 'contacts', key, value: true })),
  )
  return Y.encodeStateAsUpdate(doc)
}

function ship(device: Device, update: Uint8Array, size = update.length, deflated = deflateRawSync(update)): void {
  device.send({ type: 'deflatedRoster', step: 'update', size, payload: deflated })
}

test('[D2] a compressed update counts as the update that it holds: for barriers, and for the other devices of the user', async () => {
  const world = await serverWorld()
  const [alice, tablet] = await world.devices('alice', 'alice')
  const update = updateOf(1_000)
  ship(alice, update)
  expect(await alice.barrier()).toBe(true)
  expect(await tablet.barrier()).toBe(true)
  expect(tablet.roster.getMap('contacts').size).toBe(1_000)
  expect(tablet.roster.getMap('contacts').has('contact-999')).toBe(true)
})

test('[F3] a compressed answer to the server’s step 1 registers a new user', async () => {
  const world = await serverWorld()
  const alice = world.device('alice')
  alice.answersSteps = false
  await alice.connect()
  alice.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
  ship(alice, updateOf(200))
  await alice.barrier({ withFeed: false })
  expect((await world.admin('GET', `/v1/users/${encodeURIComponent('alice')}`)).status).toBe(404)
  const update = updateOf(300)
  alice.send({ type: 'deflatedRoster', step: 'step2', size: update.length, payload: deflateRawSync(update) })
  await alice.barrier({ withFeed: false })
  expect((await world.admin('GET', `/v1/users/${encodeURIComponent('alice')}`)).status).toBe(200)
})

const update = updateOf(500)
const deflated = deflateRawSync(update)

test.each([
  ['that holds more than it says', update.length - 1, deflated],
  ['that holds less than it says', update.length + 1, deflated],
  ['with bytes behind its end', update.length, Buffer.concat([deflated, Buffer.of(0)])],
  ['that is cut off', update.length, deflated.subarray(0, -3)],
  ['that is no DEFLATE', update.length, Buffer.alloc(100, 0xff)],
  ['that inflates to 64 MiB', 100_000, deflateRawSync(Buffer.alloc(64 * 1024 * 1024))],
])('[S1][S2][S3] a compressed update %s closes with 4400, and nothing of it is taken', async (_, size, bytes) => {
  const world = await serverWorld()
  const [alice, tablet] = await world.devices('alice', 'alice')
  ship(alice, update, size, bytes)
  expect(await alice.closed()).toEqual({ code: 4400, reason: 'malformed: a compressed update that is none' })
  await tablet.barrier()
  expect(tablet.roster.getMap('contacts').size).toBe(0)
})

test('[S1] bytes behind the end of what is compressed are not passed over', () => {
  expect(inflate({ size: update.length, payload: Buffer.concat([deflated, Buffer.of(0)]) })).toBe(undefined)
})

test('[S3] no more is inflated than a message says', () => {
  expect(inflate({ size: update.length, payload: deflated })).toEqual(update)
  const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024))
  const before = process.memoryUsage().arrayBuffers
  expect(inflate({ size: 100_000, payload: bomb })).toBe(undefined)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024)
})

test('[S3] a compressed update that is larger than a roster may be closes with 4413 before it is inflated', async () => {
  const world = await serverWorld({ limits: { rosterBytes: 10_000, frameBytes: 10_000 } })
  const [alice] = await world.devices('alice')
  ship(alice, update, 10_001, Buffer.alloc(10, 0xff))
  expect(await alice.closed()).toMatchObject({ code: 4413, reason: expect.stringMatching(/^frame-too-large: /) })
})

test('[S3] what a compressed update is inflated to is charged before what follows it is handled', async () => {
  const world = await serverWorld({ limits: { workPerSecond: 20, workBurst: 100 } })
  const [alice, bob] = await world.devices('alice', 'bob')
  const large = updateOf(30_000)
  expect(large.length).toBeGreaterThan(600 * 1024)
  expect(deflateRawSync(large).length).toBeLessThan(200 * 1024)
  ship(alice, large)
  let isAnswered = false
  const answer = alice.barrier().then(isComplete => {
    isAnswered = isComplete
  })
  for (let round = 0; round < 20; round++) await bob.barrier()
  expect(isAnswered).toBe(false)
  world.clock.move(14_000)
  await answer
  expect(isAnswered).toBe(true)
})

test('a compressed update ahead of the hello closes with 4400', async () => {
  const world = await serverWorld()
  const alice = world.device('alice')
  await alice.connect()
  ship(alice, update)
  expect((await alice.closed()).code).toBe(4400)
})

test('[V10] the server takes no compression of websockets, and so compresses nothing that it sends', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  ship(alice, update)
  await alice.barrier()
  expect(alice.socket.extensions).toBe('')
  const again = world.device('alice')
  await again.connect()
  const step2 = again.frames.find(frame => frame.type === 'rosterSync' && frame.step === 'step2')
  expect(step2 && encodeFrame(step2).length).toBeGreaterThan(update.length / 2)
  expect(maxInflatedBytes).toBe(2 * 1024 * 1024)
})
