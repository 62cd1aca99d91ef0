import { openMemoryStore, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { decodeFrame, type PresenceState } from '@kith/shared/wire'
import { expect, onTestFinished, test } from 'vitest'
import { atOnce } from '../support/outlets.ts'
import {
  Feed,
  Presence,
  PresenceSubscription,
  PresenceSubscriptions,
  Relay,
  rosterChange,
  userChange,
} from '../support/server-internals.ts'
import { limitsWith } from '../support/stores.ts'

test('[V4] presence read before a block, a restriction or hiding was written is not sent', async () => {
  const losses = [
    rosterChange('alice', { bob: { isBlocked: true } }),
    rosterChange('bob', { alice: { isSubscribed: true, isBlocked: true } }),
    userChange('alice', { restricted: true }),
    rosterChange('alice', {}, { hidesPresence: true }),
  ]
  for (const loss of losses) {
    const { store, presence, watch, told, rest, afterReading } = await watcher()
    presence.came('alice')
    afterReading(() => store.commit(loss))
    watch.replace(new Set(['alice']))
    await rest()
    expect(told).toEqual([{ is: 'unknown' }])
  }
})

test('[F2] a device that reads nothing gets one presence for each owner, with its newest state', async () => {
  const { presence, watch, told, rest, socket } = await watcher()
  socket.outstandingBytes = 64 * 1024
  watch.replace(new Set(['alice', 'carol']))
  for (let count = 0; count < 100; count++) presence.came('alice')
  await rest()
  expect(told).toEqual([])
  socket.outstandingBytes = 0
  watch.onTaken()
  await rest()
  expect(told).toEqual([{ is: 'online' }, { is: 'unknown' }])
})

test('[S4] presence changes are read only for viewers who may know them, and once for all changes within the rest period', async () => {
  const { presence, watch, told, rest, reads } = await watcher()
  watch.replace(new Set(['alice', 'carol']))
  await rest()
  expect([told, reads()]).toEqual([[{ is: 'offline' }, { is: 'unknown' }], 1])
  for (let count = 0; count < 100; count++) {
    for (const user of ['alice', 'carol']) {
      presence.forget(user)
      presence.came(user)
    }
    await rest()
  }
  expect([told.length, reads()]).toEqual([2, 1])
})

test('[V8] a presence change is sent at once, although the network accepts nothing at that moment', async () => {
  const { store, clock, presence, watch, told, rest } = await watcher()
  watch.replace(new Set(['alice']))
  await rest()
  clock.leap(11_000)
  presence.came('alice')
  await rest()
  expect(told.at(-1)).toEqual({ is: 'online' })
  await store.commit(userChange('bob', { restricted: true }))
  await rest()
  expect(told.at(-1), 'the viewer is restricted').toEqual({ is: 'unknown' })
  expect(told.map(({ is }) => is)).toEqual(['offline', 'online', 'unknown'])
})

test('an ended session gets no presence, and stays nowhere in memory', async () => {
  const { presence, watch, told, rest, afterReading } = await watcher()
  afterReading(async () => watch.close())
  watch.replace(new Set(['alice']))
  await rest()
  presence.came('alice')
  await rest()
  expect(told).toEqual([])
})

interface Watcher {
  store: Store
  clock: TestClock
  presence: Presence
  watch: PresenceSubscription
  told: PresenceState[]
  socket: { outstandingBytes: number }
  /** How often the store was read. */
  reads(): number
  /** Runs once, between the next read and the use of its result. */
  afterReading(run: () => Promise<unknown>): void
  rest(): Promise<void>
}

/** A session of Bob, who follows Alice. A test can interleave steps with the reads of its store. */
async function watcher(): Promise<Watcher> {
  const clock = new TestClock()
  const inner = await openMemoryStore({ limits: limitsWith(), clock })
  let between: (() => Promise<unknown>) | undefined
  let reads = 0
  const views: Store['views'] = async (...args) => {
    reads++
    const read = await inner.views(...args)
    const run = between
    between = undefined
    await run?.()
    return read
  }
  const store = new Proxy(inner, {
    get: (target, name) => (name === 'views' ? views : Reflect.get(target, name, target)),
  })
  await inner.commit(rosterChange('alice', {}))
  await inner.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  const relay = new Relay(store)
  const subscriptions = new PresenceSubscriptions()
  const stops = [relay, subscriptions].map(({ listener }) => store.onCommit(listener))
  const presence = new Presence({ store, subscriptions, clock, log: { warn: () => undefined } as never })
  onTestFinished(async () => {
    for (const stop of stops) stop()
    await inner.close()
  })
  const told: PresenceState[] = []
  const socket = {
    outstandingBytes: 0,
    together: atOnce,
    send: (frame: Uint8Array) => {
      const message = decodeFrame(frame)
      if (message.type === 'presence') told.push(message.state)
    },
    fail: (error: unknown) => {
      throw error
    },
  }
  const maxOutstandingBytes = 64 * 1024
  const feed = new Feed('bob', relay, socket, maxOutstandingBytes)
  const watch = new PresenceSubscription({ user: 'bob', relay, presence, feed, clock, maxOutstandingBytes }, socket)
  return {
    ...{ store, clock, presence, watch, told, socket },
    reads: () => reads,
    afterReading: run => {
      between = run
    },
    async rest() {
      for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    },
  }
}

test('[V3] a device that reads nothing while an owner comes and goes learns the newer minute at which the owner was last seen, and nothing twice', async () => {
  const { store, clock, presence, watch, told, rest, socket } = await watcher()
  const seen = (minute: number): Promise<unknown> => store.commit({ type: 'seen', users: [{ user: 'alice', minute }] })
  clock.leap(100 * 60_000)
  await seen(3)
  watch.replace(new Set(['alice']))
  await rest()
  const again = async (change: () => unknown): Promise<void> => {
    socket.outstandingBytes = 64 * 1024
    clock.leap(11_000)
    await change()
    watch.ask('alice')
    await rest()
    socket.outstandingBytes = 0
    watch.onTaken()
    await rest()
  }
  await again(() => seen(5))
  await again(() => undefined)
  await again(() => presence.came('alice'))
  await again(() => undefined)
  await again(() => presence.forget('alice'))
  expect(told).toEqual([
    { is: 'offline', lastSeenMinute: 3 },
    { is: 'offline', lastSeenMinute: 5 },
    { is: 'online' },
    { is: 'offline', lastSeenMinute: 5 },
  ])
})

test('[D7] the last-seen time of a former holder is not recorded for the next one, when a node that died is found late', async () => {
  const { store, clock, presence } = await watcher()
  const formerAtMs = clock.now()
  clock.leap(5_000)
  await store.commit({ type: 'erase', user: 'alice' })
  clock.leap(5_000)
  await store.commit({ type: 'user', user: 'alice' })
  expect(await presence.died([{ user: 'alice', atMs: formerAtMs }])).toBe(true)
  expect((await store.user('alice')).lastSeenMinute).toBe(undefined)
  await presence.died([{ user: 'alice', atMs: clock.now() }])
  expect((await store.user('alice')).lastSeenMinute).toBe(Math.floor(clock.now() / 60_000))
})

test('[D7] an account that is erased while the users of a node that died are read gets no last-seen time', async () => {
  const { store, clock, presence } = await watcher()
  const { revocation } = store
  const atMs = clock.now()
  store.revocation = async user => {
    const before = await revocation.call(store, user)
    await store.commit({ type: 'erase', user })
    await store.commit({ type: 'user', user })
    return before
  }
  await presence.died([{ user: 'alice', atMs }])
  expect((await store.user('alice')).lastSeenMinute).toBe(undefined)
})

test('a last-seen time does not go back, unless the stored one is in the future', async () => {
  const { store, clock } = await watcher()
  clock.leap(100 * 60_000)
  const seen = async (minute: number): Promise<number | undefined> => {
    await store.commit({ type: 'seen', users: [{ user: 'alice', minute }] })
    return (await store.user('alice')).lastSeenMinute
  }
  const nowMinute = Math.floor(clock.now() / 60_000)
  expect(await seen(nowMinute - 2)).toBe(nowMinute - 2)
  expect(await seen(nowMinute - 3)).toBe(nowMinute - 2)
  expect(await seen(nowMinute + 50)).toBe(nowMinute + 50)
  expect(await seen(nowMinute)).toBe(nowMinute)
})
