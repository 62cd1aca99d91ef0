import { TestClock } from '@kith/server/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import * as Y from 'yjs'
import { engineWorld, rest } from '../support/engine-world.ts'
import {
  Draft,
  inSlices,
  profileChange,
  rosterChange,
  sortedInTurns,
  Turns,
  turnForSlice,
} from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

/** Records the largest number of slices that begin in one turn of the event loop. */
class SlicesInTurn {
  most = 0
  #inTurn = 0

  constructor() {
    const begin = (): void => {
      this.#inTurn = 0
      setImmediate(begin).unref()
    }
    setImmediate(begin).unref()
  }

  note(): void {
    this.#inTurn++
    this.most = Math.max(this.most, this.#inTurn)
  }
}

const users = Array.from({ length: 7 }, (_, index) => `user ${index}`)

test('[S3] the slices of several users’ long work begin in different turns of the event loop', async () => {
  const slices = new SlicesInTurn()
  let count = 0
  const work = async (): Promise<void> => {
    const turns = new Turns(1)
    for (let step = 0; step < 20; step++) {
      await turns.pass()
      slices.note()
      count++
    }
  }
  await Promise.all(users.map(work))
  expect(count).toBe(7 * 20)
  expect(slices.most).toBe(1)
})

test('[S3] users whose relations are read at the same time are read in different turns of the event loop', async () => {
  const store = storeOver(await newDatabase('memory'), new TestClock())
  const facts = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [`contact ${index}`, { isContact: true }]),
  )
  for (const user of users) await store.commit(rosterChange(user, facts))
  const slices = new SlicesInTurn()
  let relations = 0
  const read = async (user: string): Promise<void> => {
    for await (const page of store.relationsOf(user)) {
      slices.note()
      relations += page.relations.length
    }
  }
  await Promise.all(users.map(read))
  expect(relations).toBe(7 * 1_000)
  expect(slices.most).toBe(1)
})

test('[S3] devices of several users that return at once are handed their follows in different turns of the event loop', async () => {
  const world = await engineWorld()
  const owners = Array.from({ length: 160 }, (_, index) => `owner ${index}`)
  await Promise.all(owners.map(owner => world.store.commit(profileChange(owner, { 0: `of ${owner}` }))))
  const update = Y.encodeStateAsUpdateV2(new Y.Doc())
  const follows = Object.fromEntries(owners.map(owner => [owner, { isSubscribed: true }]))
  for (const user of users) {
    const change = rosterChange(user, follows)
    await world.store.commit({ ...change, roster: { ...(change.roster as NonNullable<typeof change.roster>), update } })
  }
  const slices = new SlicesInTurn()
  const begun = new Set<string>()
  const { views } = world.store
  world.store.views = (viewer, named, wanted) => {
    // The first read of each device belongs to its opening.
    if (named.length > 1 && begun.has(viewer)) slices.note()
    begun.add(viewer)
    return views(viewer, named, wanted)
  }
  const lines = await Promise.all(users.map(user => world.signIn(user)))
  for (const line of lines) line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
  for (let round = 0; round < 5; round++) await rest()
  for (const { frames } of lines) expect(frames.filter(({ type }) => type === 'profile').length).toBe(160)
  expect(slices.most).toBe(1)
})

test('[S3] slices begin in the order in which they were asked for, one in each turn, and the first in the next turn', async () => {
  const begun: number[] = []
  const each = [0, 1, 2].map(async index => {
    await turnForSlice()
    begun.push(index)
  })
  const seen: number[] = []
  for (let turn = 0; turn < 4; turn++) {
    seen.push(begun.length)
    await new Promise(resolve => setImmediate(resolve))
  }
  await Promise.all(each)
  expect([begun, seen]).toEqual([
    [0, 1, 2],
    [0, 1, 2, 3],
  ])
  // The queue is empty again.
  await turnForSlice()
})

test('[S3] long work pauses after as many steps as it says, each time', async () => {
  const turns = new Turns(3)
  const over: boolean[] = []
  for (let step = 0; step < 6; step++) {
    over.push(turns.isOver())
    if (over.at(-1)) await turns.pass()
  }
  expect(over).toEqual([false, false, true, false, false, true])
})

/** Work of this many steps, a thousand at a time. It records its progress in each turn of the event loop. */
function watchedWork(steps: number, end: () => void = () => undefined) {
  const work = { done: 0, failures: [] as unknown[], progress: [] as number[] }
  const iterator = (function* () {
    while (work.done < steps) {
      work.done += 1_000
      yield 1_000
    }
    end()
  })()
  const whole = inSlices(iterator, error => work.failures.push(error))
  return { work, whole }
}

test('[S3] work that all commits wait for is done 10,000 steps at a time, one slice in each turn', async () => {
  expect(watchedWork(9_000).whole).toBeUndefined()
  const { work, whole } = watchedWork(25_000)
  const others = [turnForSlice(), turnForSlice(), turnForSlice(), turnForSlice()]
  const seen: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    seen.push(work.done)
    await new Promise(resolve => setImmediate(resolve))
  }
  await whole
  await Promise.all(others)
  expect([seen, work.done, work.failures]).toEqual([[10_000, 20_000, 25_000], 25_000, []])
})

test('[S1] work in slices that fails, at once or in a later slice, ends, and says so before those go on that wait for it', async () => {
  const fail = (): never => {
    throw new Error('a fault')
  }
  const early = watchedWork(1_000, fail)
  expect([early.whole, early.work.failures]).toEqual([undefined, [new Error('a fault')]])
  const late = watchedWork(15_000, fail)
  expect(late.work.failures).toEqual([])
  await late.whole
  expect(late.work.failures).toEqual([new Error('a fault')])
})

/** Counts the pauses of some work. */
class CountedTurns extends Turns {
  count = 0

  override async pass(): Promise<void> {
    this.count++
    await super.pass()
  }
}

test.each([0, 1, 2, 1_999, 2_000, 2_001, 9_999, 30_000])(
  '[S3] %i names that are sorted in slices are in the same order as those sorted at once',
  async count => {
    const names = Array.from({ length: count }, (_, index) => `user ${(index * 7_919) % 10_007}`)
    names.push(...names.slice(0, 3), 'é', '\u{1f600}', '\uffee')
    const turns = new CountedTurns(250)
    expect(await sortedInTurns(names, turns)).toEqual([...names].sort())
    expect(turns.count).toBeGreaterThanOrEqual(Math.floor(count / 2_001) + Math.floor(count / 5_000))
  },
)

test('[S3] of what a roster says of many others, 125 pairs are loaded and derived at a time', async () => {
  const loads = vi.spyOn(Draft.prototype, 'loadPairs')
  onTestFinished(() => loads.mockRestore())
  const store = storeOver(await newDatabase('memory'), new TestClock())
  const others = Array.from({ length: 130 }, (_, index) => [`other ${index}`, { isContact: true }])
  await store.commit(rosterChange('alice', Object.fromEntries(others)))
  expect(loads.mock.calls.slice(0, 2).map(([user, ids]) => [user, [...ids].length])).toEqual([
    ['alice', 125],
    ['alice', 5],
  ])
})
