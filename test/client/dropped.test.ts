import type { Kith, Profile } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import type { ServerMessage } from '@kith/shared/wire'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  coreOf,
  droppedAndWanted,
  ProfileFetches,
  RateLimiter,
  storeFrames,
  systemRandomness,
} from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'
import { hostileServer } from '../support/hostile-server.ts'

test('[F1][V7] a dropped profile is fetched until a fetch that was sent after the last drop is answered', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  await show(kith, [0])
  await dropAndFollow(bob)
  const [[, first] = ['', 0]] = await wanted(kith)
  await show(kith, [0])
  expect(await wanted(kith), 'whatever the server says meanwhile').toEqual([['bob', first]])
  await dropAndFollow(bob)
  const [[, second] = ['', 0]] = await wanted(kith)
  expect(second).toBeGreaterThan(first)
  await settle(kith, first)
  expect(await wanted(kith), 'an answer to an earlier question').toEqual([['bob', second]])
  await settle(kith, second)
  expect(await wanted(kith)).toEqual([])

  await show(kith, [0])
  await dropAndFollow(bob)
  await show(kith, [])
  expect(await wanted(kith), 'the server shows nothing either').toEqual([])
})

test.each(['declined', 'blocked'])('[V7] a user who is %s is not fetched', async how => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  await show(kith, [0])
  if (how === 'declined') bob.subscribe(false)
  else bob.block(true)
  await bob.save()
  expect(await wanted(kith)).toEqual([])
  if (how === 'declined') bob.subscribe(true)
  else bob.block(false)
  await bob.save()
  expect((await wanted(kith)).map(([owner]) => owner)).toEqual(['bob'])
})

test('[F1] a user of whom the device held nothing when it declined or blocked them is not fetched', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  await dropAndFollow(bob)
  for (const isBlocked of [true, false]) {
    bob.block(isBlocked)
    await bob.save()
  }
  expect(await wanted(kith)).toEqual([])
})

test('[F1] a user whom another device lets in again is fetched each time, where this device has nothing to send', async () => {
  const asked: string[] = []
  let say: (message: ServerMessage) => void = () => undefined
  const laptop = new Y.Doc()
  const server = hostileServer((message, answer) => {
    say = answer
    if (message.type === 'rosterSync' && message.step !== 'step1') Y.applyUpdate(laptop, message.payload)
    if (message.type === 'fetch') {
      asked.push(message.owner)
      answer({ ...bobShown, isFetched: true })
    }
    return false
  })
  const kith = await server.open('alice', { indexedDB: new IDBFactory() })
  const bob = kith.getProfile('bob')
  await kith.whenSynced()
  expect(asked).toEqual(['bob'])
  for (const times of [2, 3]) {
    bob.block(true)
    await bob.save()
    await kith.whenSynced()
    const before = Y.encodeStateVector(laptop)
    laptop.getMap('blocks').clear()
    say({ type: 'rosterSync', step: 'update', payload: Y.encodeStateAsUpdate(laptop, before) })
    await expect.poll(() => asked).toHaveLength(times)
    await kith.whenSynced()
  }
})

test('[F1] only an answer that comes after the fetch was sent answers the fetch, not a frame that crosses it', async () => {
  const { fetches, introduce, sent, reach } = questions()
  const answer = fetches.again('bob')
  let state: unknown = 'open'
  void answer.then(isHandedOver => {
    state = isHandedOver
  })
  reach()
  fetches.answered('bob', true)
  introduce()
  await expect.poll(() => sent).toEqual(['bob'])
  await new Promise(setImmediate)
  expect(state).toBe('open')
  expect(await fetches.again('bob'), 'the same is under way').toBe(false)
  fetches.answered('bob', true)
  await expect.poll(() => state).toBe(true)
})

test.each([
  ['shows nothing', (fetches: ProfileFetches) => fetches.answered('bob', false)],
  ['is gone', (fetches: ProfileFetches) => fetches.end()],
])('[F1] no profile counts as handed over when the server %s', async (_, end) => {
  const { fetches, introduce, sent, reach } = questions()
  const answer = fetches.again('bob')
  introduce()
  await expect.poll(() => sent).toEqual(['bob'])
  reach()
  end(fetches)
  expect(await answer).toBe(false)
})

const bobShown = {
  type: 'access' as const,
  owner: 'bob',
  levels: [0],
  isWaiting: false,
  hasJustJoined: false,
  isFetched: false,
  cursor: new Uint8Array(),
}

async function wanted(kith: Kith): Promise<readonly (readonly [string, number])[]> {
  return droppedAndWanted(coreOf(kith).store)
}

async function settle(kith: Kith, drop: number): Promise<void> {
  await coreOf(kith).store.work(async ({ people }) => {
    await people.load(['bob'])
    people.settleDrop('bob', drop)
  })
}

/** The server announces which levels of Bob this device receives. */
async function show(kith: Kith, levels: number[]): Promise<void> {
  await storeFrames(coreOf(kith).store, [{ ...bobShown, levels }], systemRandomness)
}

async function dropAndFollow(bob: Profile): Promise<void> {
  for (const follows of [false, true]) {
    bob.subscribe(follows)
    await bob.save()
  }
}

/** The fetches of a session. All barriers are reached as soon as one may be. */
function questions(): { fetches: ProfileFetches; introduce: () => void; reach: () => void; sent: string[] } {
  const sent: string[] = []
  let [introduce, reach]: [() => void, () => void] = [() => undefined, () => undefined]
  const introduced = new Promise<void>(resolve => {
    introduce = resolve
  })
  const reached = new Promise<boolean>(resolve => {
    reach = () => resolve(true)
  })
  const clock = new TestClock()
  const fetches = new ProfileFetches({
    ...{ clock, pace: new RateLimiter(clock), introduced },
    send: message => void (message.type === 'fetch' && sent.push(message.owner)),
    raiseBarrier: () => reached,
  })
  return { fetches, introduce, reach, sent }
}
