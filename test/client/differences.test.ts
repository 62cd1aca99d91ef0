import type { Kith } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import { defaultContentLimits, type Fields } from '@kith/shared'
import { fieldsDigest, type ServerMessage, wireVersion } from '@kith/shared/wire'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { backend } from '../support/backend.ts'
import { coreOf, readMeta, type StoredFrame, storeFrames, systemRandomness } from '../support/client-internals.ts'
import { first, installation } from '../support/devices.ts'
import { hostileServer } from '../support/hostile-server.ts'

const before: Fields = { age: 33, avatar: Uint8Array.of(0xff, 0), mood: 'well', name: 'Bob', score: -0 }
const after: Fields = { age: 34, avatar: Uint8Array.of(0xff, 0), name: 'Bob', ['__proto__']: 'a name', score: -0 }

const access: StoredFrame = {
  ...{ type: 'access', owner: 'bob', levels: [0], isWaiting: false, hasJustJoined: false, isFetched: false },
  cursor: Uint8Array.of(1),
}
const whole: StoredFrame = { type: 'profile', owner: 'bob', level: 0, fields: before, cursor: Uint8Array.of(2) }

function difference(expected: Fields = after): Extract<ServerMessage, { type: 'difference' }> {
  const fields = Object.fromEntries([
    ['__proto__', 'a name'],
    ['age', 34],
  ])
  const digest = fieldsDigest(expected)
  return { type: 'difference', owner: 'bob', level: 0, fields, removed: ['mood'], digest, cursor: Uint8Array.of(3) }
}

async function take(kith: Kith, ...frames: StoredFrame[]): Promise<void> {
  await storeFrames(coreOf(kith).store, frames, systemRandomness)
}

async function cursorOf(kith: Kith): Promise<number | undefined> {
  return (await coreOf(kith).store.use(db => readMeta(db, 'cursor')))?.[0]
}

async function heldBy(kith: Kith): Promise<unknown> {
  return (await coreOf(kith).store.use(db => db.replicas.get('bob')))?.levels
}

test('[F1] a difference changes the level that the device holds, together with the cursor, and emits profile', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  bob.setLabel('Bob')
  await bob.save()
  await take(kith, access, whole)
  const told: unknown[] = []
  kith.on('profile', ({ id }) => told.push(id))
  await take(kith, difference())
  // A field named `__proto__` is a field like any other.
  expect(await heldBy(kith)).toEqual([[0, Object.fromEntries(Object.entries(after))]])
  expect(Object.entries(bob.fields).sort()).toEqual(Object.entries(after).sort())
  const row = (await first(kith.contacts())).find(({ id }) => id === 'bob')
  expect(row?.fields['age']).toBe(34)
  await expect.poll(() => told).toEqual(['bob'])
  expect(await cursorOf(kith)).toBe(3)
})

test.each([
  ['of another state of the level', [access, whole], difference({ ...after, name: 'Rob' })],
  ['of a level that the device does not hold', [access], difference()],
  ['of a level that is hidden until it is repeated', [access, whole, fresh(), access], difference()],
] as const)('[F1] a difference %s is not taken, nor is its cursor', async (_, held, frame) => {
  const kith = await installation('alice').open()
  for (const one of held) await take(kith, one)
  const [cursor, replica] = [await cursorOf(kith), await heldBy(kith)]
  await expect(take(kith, frame)).rejects.toMatchObject({ code: 'unavailable' })
  expect([await cursorOf(kith), await heldBy(kith)]).toEqual([cursor, replica])
  expect(kith.getProfile('bob').fields['age']).not.toBe(34)
})

function fresh(): StoredFrame {
  const welcome = { type: 'welcome' as const, isFresh: true, isErased: false, limits: defaultContentLimits }
  return { ...welcome, incarnation: Uint8Array.of(1) }
}

test('[V7] a difference for an owner whose replica the device has dropped on its own changes nothing, and its cursor counts', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  await take(kith, access, whole)
  bob.block(true)
  await bob.save()
  await take(kith, difference())
  expect([await cursorOf(kith), await heldBy(kith)]).toEqual([3, undefined])
  bob.block(false)
  await bob.save()
  expect(bob.fields).toEqual({})
})

test('[F1] a device that is sent a difference to another state returns with the cursor from before, and gets the level', async () => {
  const clock = new TestClock()
  const cursors: number[][] = []
  const server = hostileServer((message, say) => {
    // The roster arrives when the device has stored the welcome and the frames that came with it.
    const isRoster = message.type === 'rosterSync' && message.step === 'step2'
    if (isRoster && cursors.length === 1) say(difference({ name: 'somebody else' }))
    if (message.type !== 'hello') return false
    cursors.push([...message.cursor])
    const isFirst = cursors.length === 1
    const understands = { wire: wireVersion, privacy: [] }
    const welcome = { ...fresh(), isFresh: isFirst, understands } as ServerMessage
    say(welcome)
    say({ type: 'ownProfile', step: 'step1', payload: Uint8Array.of(0) })
    if (isFirst) for (const frame of [access, whole]) say({ ...frame, cursor: new Uint8Array() } as ServerMessage)
    say({ type: 'caughtUp', cursor: Uint8Array.of(7) })
    if (!isFirst) say({ ...whole, fields: after, cursor: Uint8Array.of(8) } as ServerMessage)
    return true
  })
  server.protocol = 'kith.v1+'
  const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, connect: false })
  const errors: unknown[] = []
  alice.on('error', ({ code }) => errors.push(code))
  alice.connect()
  await expect.poll(() => errors).toEqual(['unavailable'])
  clock.move(1_000)
  await expect.poll(() => alice.getProfile('bob').fields['age']).toBe(34)
  expect(cursors).toEqual([[], [7]])
  expect(errors).toEqual(['unavailable'])
})

test('[F1] of a device with many fields, one that changes arrives at a follower, and one that is unset goes', async () => {
  const server = await backend()
  const [alice, bob] = [await server.device('alice'), await server.device('bob')]
  for (let n = 0; n < 40; n++) await alice.ownProfile.set(`field ${n}`, `${n} `.repeat(30))
  bob.getProfile('alice').subscribe(true)
  await bob.getProfile('alice').save()
  await Promise.all([alice.whenSynced(), bob.whenSynced()])
  await bob.whenSynced()
  await alice.ownProfile.set('field 7', 'seven')
  await alice.ownProfile.unset('field 8')
  await alice.whenSynced()
  await expect.poll(() => bob.getProfile('alice').fields).toEqual(alice.ownProfile.fields.get(0))
  expect(Object.keys(bob.getProfile('alice').fields)).toHaveLength(39)
})
