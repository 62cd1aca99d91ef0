import { setImmediate as turn } from 'node:timers/promises'
import { type Commit, openMemoryStore } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import { commitWith } from '../support/commits.ts'
import {
  type Entry,
  type Follower,
  inSlices,
  type PresenceListener,
  PresenceSubscriptions,
  type Receiver,
  Relay,
} from '../support/server-internals.ts'
import { limitsWith } from '../support/stores.ts'

/** Commits that concern tens of thousands of pairs or viewers. */

const count = 30_000
const users = Array.from({ length: count }, (_, index) => `user ${index}`)

const commits: Record<string, Commit> = {
  'changes what each of many viewers may see': commitWith({
    pairs: users.map(viewer => ({ viewer, owner: 'alice' })),
  }),
  'changes what strangers see': commitWith({
    strangers: [{ owner: 'alice', viewers: new Set(), areExcepted: true }],
  }),
}

/** A relay with one session for each viewer, and with an entry of Alice. It records all calls on their feeds. */
async function relayOfMany() {
  const store = await openMemoryStore({ limits: limitsWith(), clock: new TestClock() })
  const relay = new Relay(store)
  const calls: string[] = []
  const recheck = (): void => void calls.push('recheck')
  for (const user of users) {
    const feed = {
      user,
      recheck,
      recheckFetched: recheck,
      recheckStranger: recheck,
      takes: () => [],
      offer: () => {
        calls.push('offer')
        return []
      },
    } as unknown as Follower
    relay.join({ user, feed } as unknown as Receiver)
    relay.addEntry({ owner: 'alice', feed } as Entry)
  }
  return { relay, calls }
}

async function turnsUntil(work: Promise<unknown>): Promise<number> {
  let turns = 0
  let isDone = false
  void work.then(() => {
    isDone = true
  })
  for (; !isDone; turns++) await turn()
  return turns
}

test.each(Object.entries(commits))(
  '[S3][V4] a commit that %s is checked in slices, and until the last of them no feed reads and no batch begins',
  async (_, wide) => {
    const { relay, calls } = await relayOfMany()
    await relay.listener.writing?.()
    relay.listener.committed([wide])
    expect(calls.length).toBeLessThan(count / 10)
    let callsAtBatch = 0
    let callsAtRead = 0
    const read = relay.reads.read(
      async () => ({ at: 0, calls: calls.length }),
      found => {
        callsAtRead = found.calls
      },
    )
    const batch = relay.listener.writing?.().then(() => {
      callsAtBatch = calls.length
      relay.listener.failed?.()
    })
    expect(await turnsUntil(Promise.all([read, batch]))).toBeGreaterThan(10)
    expect([callsAtRead, callsAtBatch]).toEqual([count, count])
  },
)

test('[S3][V6] what is new in a commit goes out after the last slice of what it took away', async () => {
  const { relay, calls } = await relayOfMany()
  await relay.listener.writing?.()
  const levels = new Map([[0, new Uint8Array()]])
  relay.listener.committed([commitWith({ ...commits['changes what each of many viewers may see'], levels })])
  await relay.listener.writing?.()
  expect(calls.indexOf('offer')).toBe(count)
  expect(calls.lastIndexOf('recheck')).toBe(count - 1)
})

test('[S3] sessions that watch an owner’s presence are asked in slices, and the next batch waits for the last of them', async () => {
  const subscriptions = new PresenceSubscriptions()
  let asked = 0
  const ask = (): void => void asked++
  for (const user of users) {
    const watch: PresenceListener = { user, ask, askIfSeen: ask, askAsStranger: ask, askAll: ask, stir: ask, fail: ask }
    subscriptions.open(user, watch)
    subscriptions.add('alice', watch)
  }
  const { listener } = subscriptions
  for (const wide of [
    ...Object.values(commits),
    commitWith({ hidings: ['alice'] }),
    commitWith({ standings: users }),
  ]) {
    asked = 0
    listener.committed([wide])
    expect(asked).toBeGreaterThan(0)
    expect(asked).toBeLessThan(count / 10)
    await listener.writing?.()
    expect(asked).toBe(count)
  }
})

test('[S1] work in slices is done at once where it is little', () => {
  let steps = 0
  const work = (function* () {
    for (; steps < 100; steps++) yield 10
  })()
  const fail = (error: unknown): void => {
    throw error
  }
  expect(inSlices(work, fail)).toBeUndefined()
  expect(steps).toBe(100)
})

test('[V7][F1] while a commit is checked in slices, a cursor covers nothing of it', async () => {
  const { relay } = await relayOfMany()
  const { cursors, store, listener } = relay
  const before = store.position
  Object.defineProperty(store, 'position', { get: () => before + 1 })
  const position = (): number | undefined => cursors.positionOf(cursors.seal(), 0)
  listener.committed([{ ...(commits['changes what each of many viewers may see'] as Commit), position: before + 1 }])
  expect(position()).toBe(before)
  await listener.writing?.()
  expect(position()).toBe(before + 1)
})
