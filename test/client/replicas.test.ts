import type { Kith } from '@kith/client'
import { defaultLimits } from '@kith/shared'
import { expect, test } from 'vitest'
import { coreOf, dropHidden, type StoredFrame, storeFrames, systemRandomness } from '../support/client-internals.ts'
import { first, installation } from '../support/devices.ts'

/** How a device applies the feed, frame by frame, during its other operations. */

test('[V1][F1] a profile that arrives while its owner is blocked is hidden, and shown as soon as the block is lifted, also offline', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  bob.block(true)
  await bob.save()
  // The server never learns of the block, which is lifted before it could be sent.
  await take(kith, access([0]), profile(0, 'Bob'))
  expect(bob.fields).toEqual({})
  bob.block(false)
  await bob.save()
  expect(bob.fields).toEqual({ name: 'Bob' })
})

test('[V1][V7] an offline block leaves no waiting follow, and lifting it emits the profile that is shown again', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  const told: unknown[] = []
  bob.block(true)
  await bob.save()
  await take(kith, access([0]), profile(0, 'Bob'))
  kith.on('profile', ({ id, fields }) => told.push([id, fields]))
  const row = async (): Promise<unknown> => (await first(kith.contacts())).find(({ id }) => id === 'bob')
  expect(await row()).toMatchObject({ isBlocked: true, isWaiting: false, fields: {} })
  bob.block(false)
  bob.setLabel('Bob')
  bob.setProfileAccessLevels([1])
  await bob.save()
  await expect.poll(() => told).toEqual([['bob', { name: 'Bob' }]])
  expect(await row()).toMatchObject({ isBlocked: false, isWaiting: false, fields: { name: 'Bob' } })
  bob.block(true)
  await bob.save()
  expect(await row()).toMatchObject({ isBlocked: true, isWaiting: false, fields: {} })
})

test('[V7] a profile that disappears while a feed restarts twice emits withdrawn', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  const withdrawn: unknown[] = []
  kith.on('withdrawn', ({ id }, levels) => withdrawn.push([id, levels]))
  await take(kith, access([0, 5]), profile(0, 'Bob'), profile(5, 'Bobby'))
  expect(bob.fields).toEqual({ name: 'Bobby' })
  // The first feed breaks off after one level.
  await take(kith, welcome, access([0, 5]), profile(0, 'Bob'))
  await take(kith, welcome)
  expect(bob.fields).toEqual({})
  await take(kith, access([0]), profile(0, 'Bob'))
  expect(bob.fields).toEqual({ name: 'Bob' })
  await expect.poll(() => withdrawn).toEqual([['bob', [5]]])
})

test('[V7] a level that is empty by now is not shown after a feed restarts, and withdrawn is not emitted', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  const told: [string, unknown][] = []
  kith.on('withdrawn', ({ id }, levels) => told.push([id, levels]))
  kith.on('profile', ({ id, fields }) => told.push([id, fields]))
  await take(kith, access([0, 5]), profile(0, 'Bob'), profile(5, 'Bobby'))
  told.length = 0
  // Level 5 is in the access, but no fields for it arrive: the owner has emptied it.
  await take(kith, welcome, access([0, 5]), profile(0, 'Bob'))
  await dropHidden(coreOf(kith).store)
  expect(bob.fields).toEqual({ name: 'Bob' })
  await expect.poll(() => told.at(-1)).toEqual(['bob', { name: 'Bob' }])
  expect(told.filter(([, what]) => Array.isArray(what))).toEqual([])
})

const cursor = new Uint8Array()
const welcome: StoredFrame = {
  ...{ type: 'welcome', isFresh: true, isErased: false, incarnation: Uint8Array.of(1) },
  limits: defaultLimits,
}

function access(levels: number[]): StoredFrame {
  return { type: 'access', owner: 'bob', levels, isWaiting: false, hasJustJoined: false, isFetched: false, cursor }
}

function profile(level: number, name: string): StoredFrame {
  return { type: 'profile', owner: 'bob', level, fields: { name }, cursor }
}

async function take(kith: Kith, ...frames: StoredFrame[]): Promise<void> {
  await storeFrames(coreOf(kith).store, frames, systemRandomness)
}
