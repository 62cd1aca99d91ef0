import { createHook } from 'node:async_hooks'
import { setImmediate } from 'node:timers/promises'
import type { LevelDatabase, Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { decodeFrame } from '@kith/shared/wire'
import { describe, expect, onTestFinished, test } from 'vitest'
import { batchOfEitherKind } from '../support/chained-batch.ts'
import { heldBack } from '../support/held-back.ts'
import { atOnce } from '../support/outlets.ts'
import {
  Cursors,
  Feed,
  profileChange,
  type Receiver,
  Relay,
  rosterChange,
  userChange,
} from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

/** A feed of Bob over a store. A test can hold back reads after they are done, so that their results are stale. */
async function feedOfBob() {
  const disk = lingering(await newDatabase('memory'))
  const inner = storeOver(disk.database, new TestClock())
  let reads = 0
  const gates = new Map<PropertyKey, { arrived: () => void; released: Promise<void> }>()
  const delays = new Map<PropertyKey, { arrived: () => void; released: Promise<void> }>()
  const store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (name === 'views') reads++
        const delay = delays.get(name)
        if (delay) {
          delays.delete(name)
          delay.arrived()
          return delay.released.then(() => value.apply(target, args))
        }
        const result: unknown = value.apply(target, args)
        const gate = gates.get(name)
        if (!gate) return result
        gates.delete(name)
        if (name === 'relationsOf') {
          return heldBack(result as AsyncIterable<unknown>, () => {
            gate.arrived()
            return gate.released
          })
        }
        return (async () => {
          const read = await result
          gate.arrived()
          await gate.released
          return read
        })()
      }
    },
  })
  const relay = new Relay(store)
  const stop = store.onCommit(relay.listener)
  const sent: Uint8Array[] = []
  const failures: unknown[] = []
  const outlet = {
    outstandingBytes: 0,
    together: atOnce,
    takes: true,
    send: (frame: Uint8Array) => {
      sent.push(frame)
      if (!outlet.takes) outlet.outstandingBytes += frame.length
    },
    fail: (error: unknown) => void failures.push(error),
  }
  const feed = new Feed('bob', relay, outlet, 64 * 1024)
  relay.join(sessionOf(feed))
  onTestFinished(async () => {
    stop()
    await inner.close()
    expect(failures).toEqual([])
  })
  await inner.commit(userChange('bob'))
  await inner.commit(userChange('alice'))
  return {
    store: inner,
    relay,
    feed,
    outlet,
    sent: () => sent.map(decodeFrame),
    /** Holds the next read of this kind after it has read. Resolves at that point, to a function that releases it. */
    hold(read: keyof Store): Promise<() => void> {
      return new Promise(resolve => {
        let release: () => void = () => undefined
        const released = new Promise<void>(go => {
          release = go
        })
        gates.set(read, { arrived: () => resolve(release), released })
      })
    },
    /** Holds the next read of this kind before it reads. Resolves when it has begun, to a function that lets it read. */
    delay(read: keyof Store): Promise<() => void> {
      return new Promise(resolve => {
        let release: () => void = () => undefined
        const released = new Promise<void>(go => {
          release = go
        })
        delays.set(read, { arrived: () => resolve(release), released })
      })
    },
    linger: disk.linger,
    /** How often a user's relations to others were read. */
    reads: () => reads,
    caughtUp: () => new Promise<void>(resolve => feed.whenCaughtUp(resolve)),
  }
}

/** A database that can hold back the confirmation that a batch is on disk. */
function lingering(inner: LevelDatabase): { database: LevelDatabase; linger: () => Promise<() => void> } {
  let onDisk: ((tell: () => void) => void) | undefined
  const batch = batchOfEitherKind(async (...args): Promise<void> => {
    await (inner.batch as (...args: unknown[]) => Promise<void>)(...args)
    const arrived = onDisk
    onDisk = undefined
    if (arrived) await new Promise<void>(arrived)
  })
  const database = new Proxy(inner, {
    get(target, name) {
      if (name === 'batch') return batch
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  /**
   * The next batch is written to disk, but its writer is not notified. Resolves at that point, to a function that notifies the
   * writer.
   */
  const linger = (): Promise<() => void> =>
    new Promise(resolve => {
      onDisk = resolve
    })
  return { database, linger }
}

test('[F1] a level that is reported after a read that was ahead of it is handed over', async () => {
  const { store, feed, sent, delay, linger, caughtUp } = await feedOfBob()
  await store.commit(profileChange('alice', { 0: 'old' }))
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  await feed.open(undefined)
  await caughtUp()
  const begun = delay('views')
  feed.recheck('alice', store.position)
  const read = await begun
  const written = linger()
  const committed = store.commit(profileChange('alice', { 0: 'new' }))
  const tell = await written
  // The read sees a commit that has not been reported yet. What it hands over was planned without this commit.
  read()
  await setImmediate()
  tell()
  await committed
  await caughtUp()
  expect(sent().at(-1)).toMatchObject({ type: 'profile', owner: 'alice', level: 0, fields: { name: 'new' } })
})

test('[V4] records read before a block are not handed over after it', async () => {
  const { store, feed, sent, hold, caughtUp } = await feedOfBob()
  await store.commit(profileChange('alice', { 0: 'secret' }))
  await feed.open(undefined)
  await caughtUp()
  const held = hold('views')
  feed.fetch('alice')
  const release = await held
  await store.commit(rosterChange('alice', { bob: { isBlocked: true } }))
  release()
  await caughtUp()
  expect(sent().filter(({ type }) => type === 'profile')).toEqual([])
  expect(sent().at(-1)).toMatchObject({ type: 'access', owner: 'alice', levels: [] })
})

test('[V4] records read before a block are not handed over once the block is on disk, even before listeners run', async () => {
  const { store, feed, sent, hold, linger, caughtUp } = await feedOfBob()
  await store.commit(profileChange('alice', { 0: 'secret' }))
  await feed.open(undefined)
  await caughtUp()
  const held = hold('views')
  feed.fetch('alice')
  const goOn = await held
  const lingers = linger()
  const blocked = store.commit(rosterChange('alice', { bob: { isBlocked: true } }))
  const tell = await lingers
  goOn()
  await setImmediate()
  tell()
  await blocked
  await caughtUp()
  expect(sent().filter(({ type }) => type === 'profile')).toEqual([])
  expect(sent().at(-1)).toMatchObject({ type: 'access', owner: 'alice', levels: [] })
})

test('[V4][V6] the content of a commit is not handed over to a viewer whom the same commit excludes', async () => {
  const { store, feed, sent, caughtUp } = await feedOfBob()
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  await store.commit(rosterChange('alice', { bob: { levels: [1] } }))
  await store.commit(profileChange('alice', { 1: '+44' }))
  await feed.open(undefined)
  await caughtUp()
  const before = sent().length
  await store.commit({ ...rosterChange('alice', { bob: {} }), ...profileChange('alice', { 1: 'secret' }) })
  await caughtUp()
  expect(sent().slice(before)).toMatchObject([{ type: 'access', owner: 'alice', levels: [0] }])
})

test('[F1] levels that were handed over are not sent again when more levels are shown', async () => {
  const { store, feed, sent, caughtUp } = await feedOfBob()
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  await store.commit(profileChange('alice', { 0: 'Ada', 1: '+44' }))
  await feed.open(undefined)
  await caughtUp()
  expect(sent()).toMatchObject([{ type: 'access' }, { type: 'profile', level: 0 }, { type: 'caughtUp' }])
  await store.commit(rosterChange('alice', { bob: { levels: [1] } }))
  await caughtUp()
  expect(sent().slice(3)).toMatchObject([
    { type: 'access', levels: [0, 1] },
    { type: 'profile', level: 1 },
  ])
})

test('[V7] a fetch that comes while the pair is being read gets its answer', async () => {
  const { store, feed, sent, hold, caughtUp } = await feedOfBob()
  await store.commit(profileChange('alice', { 0: 'Ada' }))
  await feed.open(undefined)
  await caughtUp()
  const held = hold('views')
  // The end of Alice's block concerns the pair, although Bob does not follow her.
  await store.commit(rosterChange('alice', { bob: { isBlocked: true } }))
  const release = await held
  feed.fetch('alice')
  release()
  await caughtUp()
  await store.commit(rosterChange('alice', { bob: {} }))
  await caughtUp()
  expect(sent().slice(1)).toMatchObject([
    { type: 'access', owner: 'alice', levels: [] },
    { type: 'access', owner: 'alice', levels: [0] },
    { type: 'profile', owner: 'alice', fields: { name: 'Ada' } },
  ])
})

test('[V8] a stranger who blocks the viewer while its feed opens is not named', async () => {
  const { store, feed, sent, hold, caughtUp } = await feedOfBob()
  const held = hold('relationsOf')
  const opened = feed.open(store.position)
  const release = await held
  await store.commit(rosterChange('alice', { bob: { isBlocked: true } }))
  release()
  await opened
  await caughtUp()
  expect(sent().map(({ type }) => type)).toEqual(['caughtUp'])
})

test('[V7] a returning device gets the withdrawal of an owner also if another change of the owner comes first', async () => {
  const { store, feed, outlet, sent, caughtUp } = await feedOfBob()
  const owners = [...Array.from({ length: 39 }, (_, index) => `owner ${index}`), 'zoe']
  for (const owner of owners) await store.commit(profileChange(owner, { 0: 'name' }))
  const following = owners.map(owner => [owner, { isSubscribed: true }])
  await store.commit(rosterChange('bob', Object.fromEntries(following)))
  const since = store.position
  for (const owner of owners) await store.commit(rosterChange(owner, { bob: { isBlocked: true } }))
  outlet.outstandingBytes = 1_000_000
  await feed.open(since)
  await setImmediate()
  await store.commit(rosterChange('bob', { zoe: {} }))
  outlet.outstandingBytes = 0
  feed.onTaken()
  await caughtUp()
  expect(sent()).toContainEqual(expect.objectContaining({ type: 'access', owner: 'zoe', levels: [] }))
  expect(sent().filter(({ type }) => type === 'access')).toHaveLength(owners.length)
})

/** Alice shows Bob two levels, and a device of Bob has both. Then the socket accepts nothing more. */
async function heldOfAlice(isReturning: boolean): Promise<Awaited<ReturnType<typeof feedOfBob>>> {
  const bob = await feedOfBob()
  const { store, feed, outlet, caughtUp } = bob
  await store.commit(profileChange('alice', { 0: 'the old holder', 2: 'of the old holder' }))
  await store.commit(rosterChange('alice', { bob: { levels: [2] } }))
  await store.commit(profileChange('dave', { 0: 'Dave' }))
  await store.commit(rosterChange('bob', { dave: { isSubscribed: true } }))
  const since = store.position
  await store.commit(profileChange('dave', { 0: 'what the socket has no room for' }))
  if (!isReturning) {
    await feed.open(undefined)
    await caughtUp()
  }
  outlet.outstandingBytes = 1_000_000
  // From now on the feed waits for the socket, and reads nothing.
  if (isReturning) await feed.open(since)
  else await store.commit(profileChange('alice', { 0: 'the old holder, once more' }))
  for (let turn = 0; turn < 10; turn++) await setImmediate()
  return bob
}

test.each([true, false])(
  '[V7][D7] of an account that was erased while the socket took nothing, and whose id shows the same levels again, the device keeps nothing (returned: %s)',
  async isReturning => {
    const { store, feed, outlet, sent } = await heldOfAlice(isReturning)
    const before = sent().length
    await store.commit({ type: 'erase', user: 'alice' })
    await store.commit(userChange('alice'))
    await store.commit(rosterChange('alice', { bob: { levels: [2] } }))
    await store.commit(profileChange('alice', { 0: 'the next holder' }))
    outlet.outstandingBytes = 0
    feed.onTaken()
    const levels = (): object[] =>
      sent()
        .slice(before)
        .filter(frame => frame.type === 'profile' && frame.owner === 'alice')
    await expect.poll(levels).toMatchObject([
      { level: 0, fields: { name: 'the next holder' } },
      { level: 2, fields: {} },
    ])
  },
)

test('[V7][D7] an empty level of the next holder of an id is not lost when the socket is full right before it', async () => {
  const { store, feed, outlet, sent, caughtUp } = await feedOfBob()
  await store.commit(profileChange('alice', { 0: 'the old holder', 2: 'of the old holder' }))
  await store.commit(rosterChange('alice', { bob: { levels: [2] } }))
  const since = store.position
  await store.commit({ type: 'erase', user: 'alice' })
  await store.commit(userChange('alice'))
  await store.commit(rosterChange('alice', { bob: { levels: [2] } }))
  await store.commit(profileChange('alice', { 0: 'n'.repeat(65_520) }))
  outlet.takes = false
  await feed.open(since)
  await expect.poll(() => sent().map(({ type }) => type)).toEqual(['access'])
  outlet.takes = true
  outlet.outstandingBytes = 0
  feed.onTaken()
  await caughtUp()
  expect(sent()).toContainEqual(expect.objectContaining({ type: 'profile', owner: 'alice', level: 2, fields: {} }))
})

test('[F1] of an owner who registers while a device is connected, no level is sent that was never written', async () => {
  const { store, feed, sent, caughtUp } = await feedOfBob()
  await feed.open(undefined)
  await caughtUp()
  await store.commit(rosterChange('bob', { carol: { isSubscribed: true } }))
  await store.commit(userChange('carol'))
  await store.commit(rosterChange('carol', { bob: { levels: [2] } }))
  await expect.poll(() => sent()).toContainEqual(expect.objectContaining({ type: 'access', levels: [0, 2] }))
  await setImmediate()
  expect(sent().filter(({ type }) => type === 'profile')).toEqual([])
})

test('[F1][V4] a feed whose relations were read ahead of what was reported opens when that is reported', async () => {
  const { store, feed, sent, linger, caughtUp } = await feedOfBob()
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  const since = store.position
  const lingers = linger()
  const blocked = store.commit(rosterChange('alice', { bob: { isBlocked: true } }))
  const tell = await lingers
  let isOpen = false
  const opened = feed.open(since).then(() => {
    isOpen = true
  })
  for (let turn = 0; turn < 10; turn++) await setImmediate()
  expect(isOpen).toBe(false)
  tell()
  await Promise.all([blocked, opened])
  await caughtUp()
  expect(sent()).toMatchObject([{ type: 'access', owner: 'alice', levels: [] }, { type: 'caughtUp' }])
})

test('[F1] a change during the opening of a feed is not missed', async () => {
  const { store, feed, sent, hold, caughtUp } = await feedOfBob()
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  await store.commit(profileChange('alice', { 0: 'Ada' }))
  const held = hold('users')
  const opened = feed.open(store.position)
  const release = await held
  await store.commit(profileChange('alice', { 0: 'Augusta' }))
  release()
  await opened
  await caughtUp()
  expect(sent()[0]).toMatchObject({ type: 'profile', owner: 'alice', fields: { name: 'Augusta' } })
})

test('[S1] a feed that was closed before it opened stays closed', async () => {
  const { store, feed, sent } = await feedOfBob()
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  feed.close()
  await feed.open(undefined)
  await store.commit(profileChange('alice', { 0: 'Ada' }))
  expect(sent()).toEqual([])
})

test('[V4][F2] at most 64 KiB of the feed are outstanding on a socket, and then the newest state of each owner is sent', async () => {
  const { store, feed, outlet, sent, caughtUp } = await feedOfBob()
  const owners = Array.from({ length: 300 }, (_, n) => `owner ${n}`)
  for (const owner of owners) await store.commit(userChange(owner))
  const facts = Object.fromEntries([...owners, 'alice'].map(owner => [owner, { isSubscribed: true }]))
  await store.commit(rosterChange('bob', facts))
  await feed.open(undefined)
  await caughtUp()
  const before = sent().length
  outlet.takes = false
  for (let round = 0; round < 30; round++) {
    await store.commit(profileChange('alice', { 0: `${round} ${'x'.repeat(5_000)}` }))
    for (const owner of owners.slice(0, 10)) await store.commit(profileChange(owner, { 0: `round ${round}` }))
  }
  // Withdrawals wait for room as well.
  for (const owner of owners) await store.commit(rosterChange(owner, { bob: { isBlocked: true } }))
  expect(outlet.outstandingBytes).toBeGreaterThan(50_000)
  expect(outlet.outstandingBytes).toBeLessThanOrEqual(64 * 1024)
  outlet.takes = true
  outlet.outstandingBytes = 0
  feed.onTaken()
  await caughtUp()
  const last = new Map(
    sent()
      .slice(before)
      .flatMap(frame => ('owner' in frame ? [[frame.owner, frame]] : [])),
  )
  expect(last.get('alice')).toMatchObject({ type: 'profile', fields: { name: expect.stringMatching(/^29 /) } })
  for (const owner of owners) expect(last.get(owner)).toMatchObject({ type: 'access', levels: [] })
})

test('[F1][F2] a level without room on the socket is sent later, and no cursor passes it until then', async () => {
  const { store, feed, outlet, sent, caughtUp } = await feedOfBob()
  const owners = ['o1', 'o2', 'o3', 'o4', 'o5']
  const publish = async (letter: string): Promise<void> => {
    for (const owner of owners) await store.commit(profileChange(owner, { 0: letter.repeat(30_000) }))
  }
  const profiles = () => sent().filter(frame => frame.type === 'profile')
  const takeAll = async (): Promise<void> => {
    let isCaughtUp = false
    const done = caughtUp().then(() => {
      isCaughtUp = true
    })
    for (let round = 0; round < 20 && !isCaughtUp; round++) {
      // Long enough for the feed to find that there is no room.
      for (let turn = 0; turn < 50; turn++) await setImmediate()
      outlet.outstandingBytes = 0
      feed.onTaken()
    }
    await done
  }
  for (const owner of owners) await store.commit(userChange(owner))
  await publish('x')
  await store.commit(rosterChange('bob', Object.fromEntries(owners.map(owner => [owner, { isSubscribed: true }]))))
  outlet.takes = false
  await feed.open(undefined)
  for (const letter of ['x', 'y']) {
    if (letter === 'y') await publish(letter)
    await takeAll()
    const handed = profiles().filter(({ fields }) => String(fields['name']).startsWith(letter))
    expect(handed.map(({ owner }) => owner).sort()).toEqual(owners)
  }
  const last = profiles().slice(-3)
  expect(last.map(({ cursor }) => cursor.length > 0)).toEqual([false, false, true])
})

test('[F1][V5] the answer to a fetch that goes out before an offered change of another owner has no cursor', async () => {
  const { store, feed, sent, caughtUp } = await feedOfBob()
  await store.commit(userChange('carol'))
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  await store.commit(profileChange('alice', { 0: 'Ada' }))
  await feed.open(undefined)
  await caughtUp()
  const before = sent().length
  // Runs after the relay's listener: Alice's change is offered, but not delivered yet.
  const stop = store.onCommit({ committed: () => feed.fetch('carol') })
  await store.commit(profileChange('alice', { 0: 'Augusta Ada' }))
  stop()
  await caughtUp()
  const frames = sent().slice(before)
  expect(frames).toMatchObject([
    { type: 'access', owner: 'carol' },
    { type: 'profile', owner: 'alice' },
  ])
  const cursors = frames.map(frame => ('cursor' in frame ? frame.cursor.length : 0))
  expect(cursors[0]).toBe(0)
  expect(cursors[1]).toBeGreaterThan(0)
})

test('[S1] a change that goes out as it is starts no loop of a follower: it costs no promise and no read for each', async () => {
  const { store, relay, feed, reads, caughtUp } = await feedOfBob()
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  let frames = 0
  const outlet = { outstandingBytes: 0, send: () => void frames++, together: atOnce, fail: () => undefined }
  const others = Array.from({ length: 50 }, () => new Feed('bob', relay, outlet, 64 * 1024))
  for (const other of others) relay.join(sessionOf(other))
  for (const one of [feed, ...others]) await one.open(undefined)
  for (const one of others) await new Promise<void>(resolve => one.whenCaughtUp(resolve))
  await caughtUp()
  const [framesBefore, readsBefore] = [frames, reads()]
  let promises = 0
  const hook = createHook({ init: (_id, type) => void (type === 'PROMISE' && promises++) })
  await store.commit(profileChange('alice', { 0: 'Ada' }))
  hook.enable()
  while (frames < framesBefore + others.length) await setImmediate()
  hook.disable()
  expect(reads()).toBe(readsBefore)
  expect(promises).toBeLessThan(others.length)
})

test('[F1] a revocation and a new grant between two visits move the cursor, so they are not sent on return', async () => {
  const { store, feed, sent, caughtUp } = await feedOfBob()
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  await feed.open(undefined)
  await caughtUp()
  // The last two share a batch.
  await Promise.all([
    store.commit(userChange('zoe')),
    store.commit(rosterChange('alice', { bob: { isBlocked: true } })),
    store.commit(rosterChange('alice', { bob: {} })),
  ])
  await caughtUp()
  const cursors = sent().flatMap(frame => ('cursor' in frame && frame.cursor.length > 0 ? [frame.cursor] : []))
  expect(new Cursors(store).positionOf(cursors.at(-1) as Uint8Array, 0)).toBe(store.position)
})

test('[V10] a commit and its barrier are answered before the change is sent to followers', async () => {
  const { store, feed, sent, caughtUp } = await feedOfBob()
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  await feed.open(undefined)
  await caughtUp()
  const before = sent().length
  await store.commit(profileChange('alice', { 0: 'Ada' }))
  // The turn in which the account answers the barrier.
  await setImmediate()
  expect(sent()).toHaveLength(before)
  await caughtUp()
  expect(sent().slice(before)).toMatchObject([{ type: 'profile', owner: 'alice', fields: { name: 'Ada' } }])
})

test('[V4] the next batch waits until the committed content is sent, or is marked as stale', async () => {
  const { store, relay, feed, sent, caughtUp } = await feedOfBob()
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  await feed.open(undefined)
  await caughtUp()
  const before = sent().length
  await store.commit(profileChange('alice', { 0: 'Ada' }))
  let isWriting = false
  const begun = relay.reads.begin().then(() => {
    isWriting = true
    expect(sent()).toHaveLength(before + 1)
  })
  await setImmediate()
  expect(isWriting).toBe(false)
  await begun
  relay.reads.end()
})

test('[S1] a feed that is closed between a commit and its delivery sends nothing', async () => {
  const { store, feed, sent, caughtUp } = await feedOfBob()
  await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
  await feed.open(undefined)
  await caughtUp()
  const before = sent().length
  await store.commit(profileChange('alice', { 0: 'Ada' }))
  feed.close()
  await store.commit(profileChange('alice', { 0: 'Augusta' }))
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  expect(sent()).toHaveLength(before)
})

test.each([999, 1_000, 1_001, 1_300])(
  '[F1] a device that was away for %i commits gets what a followed owner changed, and nothing else',
  async commits => {
    const { store, feed, sent, caughtUp } = await feedOfBob()
    await store.commit(profileChange('alice', { 0: 'before', 1: 'a secret' }))
    await store.commit(profileChange('carol', { 0: 'as before' }))
    await store.commit(rosterChange('bob', { alice: { isSubscribed: true }, carol: { isSubscribed: true } }))
    const since = store.position
    await store.commit(profileChange('alice', { 0: 'after' }))
    const others = Array.from({ length: commits - 1 }, (_, index) => store.commit(userChange(`stranger-${index}`)))
    await Promise.all(others)
    await feed.open(since)
    await caughtUp()
    expect(sent().map(({ type }) => type)).toEqual(['profile', 'caughtUp'])
    expect(sent()[0]).toMatchObject({ owner: 'alice', level: 0, fields: { name: 'after' } })
  },
)

test.each([999, 1_000, 1_001, 1_300])(
  '[F1] after a restart of the server, too, a device that was away for %i commits gets what a followed owner changed, and nothing else',
  async commits => {
    const { store } = await feedOfBob()
    await store.commit(profileChange('alice', { 0: 'before', 1: 'a secret' }))
    await store.commit(profileChange('carol', { 0: 'as before' }))
    await store.commit(rosterChange('bob', { alice: { isSubscribed: true }, carol: { isSubscribed: true } }))
    const since = store.position
    await store.commit(profileChange('alice', { 0: 'after' }))
    const others = Array.from({ length: commits - 1 }, (_, index) => store.commit(userChange(`stranger-${index}`)))
    await Promise.all(others)
    // A relay that starts now knows none of these commits.
    const { feed, frames } = secondFeed(store)
    await feed.open(since)
    await new Promise<void>(resolve => feed.whenCaughtUp(resolve))
    expect(frames().map(({ type }) => type)).toEqual(['profile', 'caughtUp'])
    expect(frames()[0]).toMatchObject({ owner: 'alice', level: 0, fields: { name: 'after' } })
  },
)

test('[F1] a new device gets everything of 300 owners, and a returning device the changes of 40 of them', async () => {
  const { store, feed, sent, caughtUp } = await feedOfBob()
  const owners = Array.from({ length: 300 }, (_, index) => `owner-${String(index).padStart(3, '0')}`)
  await Promise.all(owners.map(owner => store.commit(profileChange(owner, { 0: owner }))))
  await store.commit(rosterChange('bob', Object.fromEntries(owners.map(owner => [owner, { isSubscribed: true }]))))
  await feed.open(undefined)
  await caughtUp()
  const profiles = sent().flatMap(frame => (frame.type === 'profile' ? [frame.owner] : []))
  expect(profiles.sort()).toEqual(owners)
  feed.close()

  const since = store.position
  const changing = owners.filter((_, index) => index % 7 === 0)
  await Promise.all(changing.map(owner => store.commit(profileChange(owner, { 0: `${owner} anew` }))))
  let looks = 0
  const counting = new Proxy(store, {
    get: (target, name) => {
      if (name === 'views') looks++
      return Reflect.get(target, name, target)
    },
  })
  const again = secondFeed(counting)
  await again.feed.open(since)
  await new Promise<void>(resolve => again.feed.whenCaughtUp(resolve))
  expect(again.owners().sort()).toEqual(changing)
  // 32 owners per read, and no read for owners without changes.
  expect(looks).toBe(Math.ceil(changing.length / 32))
})

test('[F3] a returning device does not get a join again', async () => {
  const { store, feed, sent, caughtUp } = await feedOfBob()
  await feed.open(undefined)
  await store.commit(rosterChange('bob', { dora: { isSubscribed: true } }))
  await store.commit(userChange('dora'))
  await caughtUp()
  expect(sent().filter(frame => frame.type === 'access' && frame.hasJustJoined)).toHaveLength(1)
  const since = store.position
  feed.close()
  await store.commit(rosterChange('dora', { bob: { levels: [3] } }))
  const again = secondFeed(store)
  await again.feed.open(since)
  await new Promise<void>(resolve => again.feed.whenCaughtUp(resolve))
  const access = again.frames().filter(({ type }) => type === 'access')
  expect(access).toMatchObject([{ owner: 'dora', levels: [0, 3], hasJustJoined: false }])
})

test('[V4] records read before a pair was removed are not handed over once the removal is on disk, even before listeners run', async () => {
  const { store, feed, sent, hold, linger, caughtUp } = await feedOfBob()
  await store.commit(profileChange('alice', { 0: 'secret' }))
  await store.commit(userChange('alice', { restricted: true }))
  await store.commit({ type: 'pair', a: 'bob', b: 'alice', isPaired: true })
  await feed.open(undefined)
  await caughtUp()
  const held = hold('views')
  feed.fetch('alice')
  const goOn = await held
  const lingers = linger()
  const unpaired = store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: false })
  const tell = await lingers
  goOn()
  await setImmediate()
  tell()
  await unpaired
  await caughtUp()
  expect(sent().filter(({ type }) => type === 'profile')).toEqual([])
  expect(sent().at(-1)).toMatchObject({ type: 'access', owner: 'alice', levels: [] })
})

test.each(['alice', 'bob'])(
  '[V4] records read before a pair was removed are not handed over after it, when %s is restricted',
  async restricted => {
    const { store, feed, sent, hold, caughtUp } = await feedOfBob()
    await store.commit(profileChange('alice', { 0: 'secret' }))
    await store.commit(userChange(restricted, { restricted: true }))
    await store.commit({ type: 'pair', a: 'bob', b: 'alice', isPaired: true })
    await feed.open(undefined)
    await caughtUp()
    const held = hold('views')
    feed.fetch('alice')
    const release = await held
    await store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: false })
    release()
    await caughtUp()
    expect(sent().filter(({ type }) => type === 'profile')).toEqual([])
  },
)

describe('a change of more than 500 pairs at once', () => {
  const owners = Array.from({ length: 600 }, (_, index) => `owner-${String(index).padStart(3, '0')}`)

  /** Bob follows 600 owners, and his feed is caught up. */
  async function feedOfMany() {
    const world = await feedOfBob()
    const { store, feed, caughtUp, sent } = world
    await Promise.all(owners.map(owner => store.commit(profileChange(owner, { 0: `of ${owner}` }))))
    await store.commit(rosterChange('bob', Object.fromEntries(owners.map(owner => [owner, { isSubscribed: true }]))))
    await feed.open(undefined)
    await caughtUp()
    const before = sent().length
    return { ...world, news: () => sent().slice(before) }
  }

  test('[V4][V7] a change of more than 500 pairs takes effect on all at once: nothing more is handed over, and each is withdrawn', async () => {
    const { store, news, hold, caughtUp } = await feedOfMany()
    const held = hold('views')
    await store.commit(userChange('bob', { restricted: true }))
    const goOn = await held
    // Neither the first nor the last: only the change of many pairs causes their reads.
    for (const owner of [owners[1], owners[300], owners[598]]) {
      await store.commit(profileChange(owner as string, { 0: 'a secret' }))
    }
    await setImmediate()
    await setImmediate()
    goOn()
    await caughtUp()
    const withdrawn = news().flatMap(frame =>
      frame.type === 'access' && frame.levels.length === 0 ? [frame.owner] : [],
    )
    expect(news().filter(({ type }) => type === 'profile')).toEqual([])
    expect(withdrawn.sort()).toEqual(owners)
  })

  test('[F1] a change of more than 500 pairs is sent completely before caughtUp, also if another one follows at once', async () => {
    const { store, news, caughtUp } = await feedOfMany()
    await store.commit(userChange('bob', { restricted: true }))
    await store.commit(userChange('bob', { restricted: false }))
    await store.commit(profileChange('owner-599', { 0: 'after both' }))
    await caughtUp()
    const last = new Map(news().flatMap(frame => (frame.type === 'access' ? [[frame.owner, frame.levels]] : [])))
    expect([...last.values()].filter(levels => (levels as number[]).length === 0)).toEqual([])
    const profiles = news().filter(frame => frame.type === 'profile' && frame.owner === 'owner-599')
    expect(profiles.at(-1)).toMatchObject({ fields: { name: 'after both' } })
  })

  test('[V10] a change of more than 500 pairs reads every owner that the viewer fetched: their next change costs no read', async () => {
    const { store, feed, caughtUp, reads } = await feedOfMany()
    await store.commit(profileChange('alice', { 0: 'Alice' }))
    await store.commit(rosterChange('alice', { bob: { isBlocked: true } }))
    feed.fetch('alice')
    await caughtUp()
    const unfollowed = owners.map(owner => [owner, {}] as const)
    await store.commit(rosterChange('bob', Object.fromEntries(unfollowed)))
    await caughtUp()
    const before = reads()
    await store.commit(profileChange('alice', { 0: 'not for Bob' }))
    await caughtUp()
    expect(reads() - before).toBe(0)
  })

  test('[V4][V7] a change of more than 500 pairs reaches each of 600 viewers whom one owner excludes', async () => {
    const { store, feed, sent, caughtUp } = await feedOfBob()
    await store.commit(profileChange('alice', { 0: 'Alice' }))
    for (const viewer of ['bob', ...owners]) await store.commit(rosterChange(viewer, { alice: { isSubscribed: true } }))
    await feed.open(undefined)
    await caughtUp()
    expect(sent().filter(({ type }) => type === 'profile')).toHaveLength(1)
    await store.commit(rosterChange('alice', {}, { audience: 'nobody' }))
    await store.commit(profileChange('alice', { 0: 'a secret' }))
    await caughtUp()
    expect(sent().filter(({ type }) => type === 'profile')).toHaveLength(1)
    expect(
      sent()
        .filter(({ type }) => type === 'access')
        .at(-1),
    ).toMatchObject({ owner: 'alice', levels: [] })
  })
})

/** Another session of Bob on the same store. */
function secondFeed(store: Store) {
  const relay = new Relay(store)
  const stop = store.onCommit(relay.listener)
  const frames: Uint8Array[] = []
  const outlet = {
    outstandingBytes: 0,
    together: atOnce,
    send: (frame: Uint8Array) => void frames.push(frame),
    fail: (error: unknown) => {
      throw error
    },
  }
  const feed = new Feed('bob', relay, outlet, 64 * 1024)
  relay.join(sessionOf(feed))
  onTestFinished(stop)
  const owners = (): string[] =>
    frames.map(decodeFrame).flatMap(frame => (frame.type === 'profile' ? [frame.owner] : []))
  return { feed, owners, frames: () => frames.map(decodeFrame) }
}

/** A session of Bob with the parts that the relay needs. */
function sessionOf(feed: Feed): Receiver {
  const nothing = (): void => undefined
  return {
    user: 'bob',
    feed,
    hasArrived: true,
    outstandingBytes: 0,
    heldBytes: 0,
    say: nothing,
    founderOf: nothing as () => undefined,
    outdate: nothing,
    sendOwn: nothing,
  }
}
