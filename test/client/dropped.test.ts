import type { Kith, Profile } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import { expect, test } from 'vitest'
import {
  coreOf,
  droppedAndWanted,
  ProfileFetches,
  RateLimiter,
  storeFrames,
  systemRandomness,
} from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'

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

async function wanted(kith: Kith): Promise<readonly (readonly [string, number])[]> {
  return droppedAndWanted(coreOf(kith).store)
}

async function settle(kith: Kith, drop: number): Promise<void> {
  await coreOf(kith).store.work(async ({ people }) => {
    await people.load(['bob'])
    people.settleDrop('bob', drop)
  })
}

/** The server says what this device gets of Bob. */
async function show(kith: Kith, levels: number[]): Promise<void> {
  const none = new Uint8Array()
  const access = {
    type: 'access',
    owner: 'bob',
    levels,
    isWaiting: false,
    hasJustJoined: false,
    isFetched: false,
  } as const
  await storeFrames(coreOf(kith).store, [{ ...access, cursor: none }], systemRandomness)
}

async function dropAndFollow(bob: Profile): Promise<void> {
  for (const follows of [false, true]) {
    bob.subscribe(follows)
    await bob.save()
  }
}

/** The questions of a session in which all barriers are reached once one may be. */
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
