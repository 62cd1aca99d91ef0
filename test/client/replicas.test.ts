import type { Kith } from '@kith/client'
import { defaultLimits } from '@kith/shared'
import { expect, test } from 'vitest'
import { coreOf } from '../../packages/client/src/api/core-of.ts'
import { systemRandomness } from '../../packages/client/src/clock.ts'
import { type StoredFrame, storeFrames } from '../../packages/client/src/database/incoming-frames.ts'
import { installation } from './device.ts'

/** What a device makes of the feed, frame by frame, whatever it does meanwhile. */

test('[V1][F1] what came while somebody was blocked is not shown, and is as soon as the block is lifted, offline too', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  bob.block(true)
  await bob.save()
  // The server has not heard of it, and will not: it is lifted before it could be sent.
  await take(kith, access([0]), profile(0, 'Bob'))
  expect(bob.fields).toEqual({})
  bob.block(false)
  await bob.save()
  expect(bob.fields).toEqual({ name: 'Bob' })
})

test('[V7] what was taken away while a feed began anew twice is told as withdrawn', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  const withdrawn: unknown[] = []
  kith.on('withdrawn', ({ id }, levels) => withdrawn.push([id, levels]))
  await take(kith, access([0, 5]), profile(0, 'Bob'), profile(5, 'Bobby'))
  expect(bob.fields).toEqual({ name: 'Bobby' })
  // The first breaks off after one level.
  await take(kith, welcome, access([0, 5]), profile(0, 'Bob'))
  await take(kith, welcome)
  expect(bob.fields).toEqual({})
  await take(kith, access([0]), profile(0, 'Bob'))
  expect(bob.fields).toEqual({ name: 'Bob' })
  await expect.poll(() => withdrawn).toEqual([['bob', [5]]])
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
  await storeFrames(coreOf(kith).store, frames, undefined, systemRandomness)
}
