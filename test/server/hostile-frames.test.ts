import type { Socket } from 'node:net'
import { applyChanges, profileKey } from '@kith/shared'
import { type DeviceMessage, encodeFrame } from '@kith/shared/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { holdsAsync } from '../support/properties.ts'
import { type Device, newNonce } from '../support/raw-device.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'

/** Fails the test if an error escapes while `work` runs. */
async function withoutEscapes(work: () => Promise<void>): Promise<void> {
  const escaped: unknown[] = []
  const note = (error: unknown): void => void escaped.push(error)
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  try {
    await work()
    // Waits one more turn of the event loop, in which an unhandled rejection would be reported.
    await new Promise(resolve => setImmediate(resolve))
  } finally {
    process.off('uncaughtException', note)
    process.off('unhandledRejection', note)
  }
  expect(escaped).toEqual([])
}

/** Updates of documents, some that a device could have and some that it could not. */
const update = fc
  .array(
    fc.record({
      root: fc.constantFrom('contacts', 'labels', 'grants', 'blocks', 'privacy', 'settings', 'fields', 'nonsense'),
      key: fc.oneof(
        fc.constantFrom('bob', '1/bob', 'aaaaaaaa/bob', 'aaaaaaaa/nobody', '__proto__', '..', ''),
        fc.string({ maxLength: 10 }),
      ),
      value: fc.oneof(
        fc.constant(true),
        fc.string(),
        fc.double(),
        fc.uint8Array({ maxLength: 8 }),
        fc.constantFrom(null, {}),
      ),
      nested: fc.boolean(),
    }),
    { maxLength: 5 },
  )
  .map(entries => {
    const doc = new Y.Doc()
    for (const { root, key, value, nested } of entries) doc.getMap<unknown>(root).set(key, nested ? new Y.Map() : value)
    return Y.encodeStateAsUpdate(doc)
  })

const payload = fc.oneof(fc.uint8Array({ maxLength: 40 }), update)
const step = fc.constantFrom('step1' as const, 'step2' as const, 'update' as const)
const userId = fc.constantFrom('alice', 'bob', 'mallory', 'nobody')

const message: fc.Arbitrary<DeviceMessage> = fc.oneof(
  fc.record({ type: fc.constant('rosterSync' as const), step, payload }),
  fc.record({ type: fc.constant('ownProfile' as const), step, payload }),
  fc.record({
    type: fc.constant('hello' as const),
    version: fc.constant(1),
    cursor: fc.uint8Array({ maxLength: 64 }),
  }),
  fc.record({ type: fc.constant('barrier' as const), id: fc.nat(), withFeed: fc.boolean() }),
  fc.record({ type: fc.constant('fetch' as const), owner: userId }),
  fc.record({
    type: fc.constant('sendMessage' as const),
    id: fc.string({ maxLength: 9 }),
    to: userId,
    text: fc.string(),
  }),
  fc.record({ type: fc.constant('received' as const), id: fc.string({ maxLength: 9 }), from: userId }),
  fc.record({ type: fc.constant('renew' as const), token: fc.string() }),
  fc.record({ type: fc.constantFrom('awareness' as const, 'queryAwareness' as const) }),
)

/** Frames that are intact, truncated, partly changed, or random noise. */
const frame: fc.Arbitrary<Uint8Array> = fc.oneof(
  message.map(encodeFrame),
  fc.tuple(message.map(encodeFrame), fc.nat()).map(([bytes, at]) => bytes.slice(0, at % (bytes.length + 1))),
  fc
    .tuple(message.map(encodeFrame), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }))
    .map(([bytes, changes]) => {
      const changed = bytes.slice()
      for (const [at, byte] of changes) changed[at % Math.max(1, changed.length)] = byte
      return changed
    }),
  fc
    .tuple(fc.constantFrom(0, 1, 2, 3, ...Array.from({ length: 17 }, (_, n) => 100 + n)), fc.uint8Array())
    .map(([type, bytes]) => Uint8Array.of(type, ...bytes)),
  fc.uint8Array({ maxLength: 64 }),
)

/** Sends frames in a separate session. Resolves when the server answers a last barrier, or closes with a code. */
async function attack(world: World, frames: readonly Uint8Array[], saysHello: boolean): Promise<void> {
  const mallory = world.device('mallory')
  await mallory.dial()
  if (saysHello) mallory.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
  for (const bytes of frames) mallory.sendBytes(bytes)
  const id = 2 ** 40
  mallory.send({ type: 'barrier', id, withFeed: false })
  await Promise.race([mallory.next('reached', reached => reached.id === id).catch(() => undefined), mallory.closed()])
  if (!mallory.isConnected) expect([4400, 4401, 4403, 4413, 4427, 4529]).toContain((await mallory.closed()).code)
  mallory.drop()
  await mallory.closed()
}

test('[S1] any bytes get an answer or a close code, affect no other user, and write nothing that was not admitted', {
  timeout: 60_000,
}, async () => {
  const world = await serverWorld({ limits: { writesBurst: 1_000_000, messagesBurst: 1_000_000 } })
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.setField('name', 'Ada')
  alice.edit('mallory', { isBlocked: true })
  bob.edit('mallory', { isBlocked: true })
  bob.edit('alice', { isSubscribed: true })
  await settle(alice, bob)
  let round = 0
  await withoutEscapes(() =>
    holdsAsync(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 12 }), fc.boolean(), async (frames, saysHello) => {
        await attack(world, frames, saysHello)
        round++
        alice.setField('round', round)
        await settle(alice, bob)
        expect(bob.sees('alice')).toEqual({ name: 'Ada', round })
        await expectAdmissible(world)
      }),
      150,
    ),
  )
  expect(world.errors).toEqual([])
  expect(alice.all('message')).toEqual([])
  expect(await world.check()).toEqual([])
})

/** A new device of Mallory receives only what the rules allow. */
async function expectAdmissible(world: World): Promise<void> {
  const mallory = world.device('mallory')
  await mallory.signIn()
  for (const root of mallory.roster.share.keys()) {
    expect(['contacts', 'labels', 'grants', 'subscriptions', 'declined', 'blocks', 'privacy', 'settings']).toContain(
      root,
    )
  }
  for (const root of ['contacts', 'grants', 'subscriptions', 'declined', 'blocks', 'privacy']) {
    for (const [key, value] of mallory.roster.getMap(root)) {
      expect(value).toBe(true)
      expect(['', '..', '__proto__/x']).not.toContain(key)
    }
  }
  for (const value of mallory.roster.getMap('labels').values()) expect(typeof value).toBe('string')
  for (const [key, value] of mallory.profile.getMap('fields')) {
    expect(key).toMatch(/^\d+\/[\w-]{8,16}\/./s)
    expect(['string', 'number', 'boolean'].includes(typeof value) || value instanceof Uint8Array).toBe(true)
  }
  expect(mallory.roster.store.pendingStructs ?? mallory.profile.store.pendingStructs).toBeNull()
  await mallory.close()
}

test('[S1] devices that disconnect during their hello leave nothing in memory', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  const bob = world.device('bob')
  bob.edit('alice', { isSubscribed: true })
  await bob.signIn()
  await bob.close()
  await withoutEscapes(async () => {
    for (let round = 0; round < 20; round++) {
      await bob.dial()
      bob.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
      bob.drop()
      await bob.closed()
    }
    alice.setField('name', 'Ada')
    await alice.barrier()
  })
  await bob.signIn()
  expect(bob.sees('alice')).toEqual({ name: 'Ada' })
  expect(world.errors).toEqual([])
})

test('[S1][F2] answers that a device does not read are bounded: others are served, and the device is disconnected after three heartbeats', {
  timeout: 60_000,
}, async () => {
  const world = await serverWorld({ limits: { rosterBytes: 64 * 1024, writesBurst: 100_000, workBurst: 100_000 } })
  const [alice, glutton] = await world.devices('alice', 'glutton')
  for (let count = 0; count < 200; count++) glutton.edit(`contact ${count}`, { label: 'x'.repeat(100) })
  await glutton.barrier()
  const socket = (glutton.socket as unknown as { _socket: { pause(): void; resume(): void } })._socket
  socket.pause()
  const everything = new Y.Doc()
  for (let count = 0; count < 2_000; count++) {
    glutton.send({ type: 'rosterSync', step: 'step1', payload: Y.encodeStateVector(everything) })
  }
  // Responses are made while there is room for them, alternating with requests of other devices.
  let before: number
  do {
    before = await sentBytes(world)
    await expectOthersGoOn(alice)
  } while ((await sentBytes(world)) - before > 64 * 1024)
  for (let beat = 0; beat < 4; beat++) {
    world.clock.move(15_000)
    await expectOthersGoOn(alice)
  }
  socket.resume()
  expect((await glutton.closed()).code).toBe(1006)
})

test('[F2] a device that reads slowly is not closed, and gets every answer when it reads', {
  timeout: 60_000,
}, async () => {
  const world = await serverWorld({ limits: { rosterBytes: 64 * 1024, writesBurst: 100_000, workBurst: 100_000_000 } })
  const [alice, slow] = await world.devices('alice', 'slow')
  for (let count = 0; count < 200; count++) slow.edit(`contact ${count}`, { label: 'x'.repeat(100) })
  await slow.barrier()
  const socket = (slow.socket as unknown as { _socket: { pause(): void; resume(): void } })._socket
  socket.pause()
  const nothing = Y.encodeStateVector(new Y.Doc())
  const answers = (): number => slow.all('rosterSync').filter(({ step }) => step === 'step2').length
  const before = answers()
  // Several times what the buffers of the network hold.
  for (let count = 0; count < 500; count++) slow.send({ type: 'rosterSync', step: 'step1', payload: nothing })
  let sent: number
  do {
    sent = await sentBytes(world)
    await expectOthersGoOn(alice)
  } while ((await sentBytes(world)) - sent > 64 * 1024)
  expect(sent).toBeLessThan(500 * 20 * 1024)
  socket.resume()
  expect(await slow.barrier()).toBe(true)
  expect(answers() - before).toBe(500)
})

async function expectOthersGoOn(alice: Device): Promise<void> {
  for (let count = 0; count < 50; count++) expect(await alice.barrier()).toBe(true)
}

async function sentBytes(world: World): Promise<number> {
  const text = await (await fetch(`${world.url}/metrics`)).text()
  return Number(/^kith_sent_bytes_total (\d+)/m.exec(text)?.[1])
}

test('[S1] while a user requests a large roster repeatedly, or edits it near its limit, others are served in between', {
  timeout: 60_000,
}, async () => {
  const world = await serverWorld({ limits: { rosterBytes: 1024 * 1024 } })
  const [alice, glutton] = await world.devices('alice', 'glutton')
  const doc = new Y.Doc()
  const labels = Array.from({ length: 3000 }, (_, n) => ({ root: 'labels', key: `u${n}`, value: 'x'.repeat(240) }))
  applyChanges(doc, labels)
  glutton.send({ type: 'rosterSync', step: 'update', payload: Y.encodeStateAsUpdate(doc) })
  expect(await glutton.barrier()).toBe(true)
  const updates: Uint8Array[] = []
  doc.on('update', update => void updates.push(update))
  for (let n = 0; n < 200; n++) applyChanges(doc, [{ root: 'labels', key: 'u1', value: `${n}` }])
  const nothing = Y.encodeStateVector(new Y.Doc())
  let isServed = false
  for (const payload of updates) glutton.send({ type: 'rosterSync', step: 'update', payload })
  for (let n = 0; n < 20; n++) glutton.send({ type: 'rosterSync', step: 'step1', payload: nothing })
  const served = glutton.barrier().then(() => {
    isServed = true
  })
  await glutton.nextOf(({ type }) => type === 'rosterSync')
  expect(await alice.barrier()).toBe(true)
  expect(isServed).toBe(false)
  await served
})

test('[V5] a value that a device set and removed in one update reaches neither its other devices nor viewers', async () => {
  const world = await serverWorld()
  const [alice, laptop, bob] = await world.devices('alice', 'alice', 'bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  // A client that keeps removed content sends it too.
  const doc = new Y.Doc({ gc: false })
  const key = profileKey(0, newNonce(), 'bio')
  for (const value of ['a removed secret', 'shown']) applyChanges(doc, [{ root: 'fields', key, value }])
  expect(Buffer.from(Y.encodeStateAsUpdate(doc)).includes('a removed secret')).toBe(true)
  alice.send({ type: 'ownProfile', step: 'update', payload: Y.encodeStateAsUpdate(doc) })
  await settle(alice, laptop, bob)
  expect(bob.sees('alice')).toEqual({ bio: 'shown' })
  expect([laptop.received('a removed secret'), bob.received('a removed secret')]).toEqual([false, false])
})

/** Begins a frame of `frameBytes` bytes, and sends only its first `sentBytes`. */
function begin(device: { socket: unknown }, frameBytes: number, sentBytes: number): void {
  const { _socket: tcp } = device.socket as { _socket: Socket }
  const header = Buffer.alloc(14)
  header[0] = 0x82 // The last frame of a binary message.
  header[1] = 0x80 | 127 // Masked, with a length of eight bytes.
  header.writeBigUInt64BE(BigInt(frameBytes), 2)
  tcp.write(Buffer.concat([header, Buffer.alloc(sentBytes)]))
}

test('[S3] unfinished frames of a user, on all sockets together, take at most as much as two of the largest frames', async () => {
  const world = await serverWorld({ limits: { rosterBytes: 256 * 1024, frameBytes: 256 * 1024 } })
  const [phone, laptop, tablet, bob] = await world.devices('mallory', 'mallory', 'mallory', 'bob')
  for (const device of [phone, laptop, bob]) begin(device, 250 * 1024, 240 * 1024)
  for (let turn = 0; turn < 20; turn++) await settle(tablet)
  expect([phone, laptop, tablet, bob].map(({ isConnected }) => isConnected)).toEqual([true, true, true, true])
  begin(tablet, 250 * 1024, 100 * 1024)
  while (tablet.isConnected) await new Promise(resolve => setImmediate(resolve))
  expect([phone, laptop, bob].map(({ isConnected }) => isConnected)).toEqual([true, true, true])
})
