import { TestClock } from '@kith/server/testing'
import type { DeviceMessage } from '@kith/shared/wire'
import { describe, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { accountsOver } from '../support/account-world.ts'
import { engineWorld } from '../support/engine-world.ts'
import { atOnce } from '../support/outlets.ts'
import {
  clientsNamed,
  costOf,
  Feed,
  Inbox,
  OneAtATime,
  Relay,
  rosterChange,
  StallWatch,
  TokenBucket,
  TurnShare,
} from '../support/server-internals.ts'
import { serverWorld, settle } from '../support/server-world.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `user ${index}`)
const nothing = new Uint8Array()

/** A state vector that names this many clients, with bytes for each of them. */
const vectorOf = (clients: number): Uint8Array =>
  Y.encodeStateVector(new Map(Array.from({ length: clients }, (_, index) => [index + 1, 1])))

describe('[S3] a frame is charged by what it costs:', () => {
  const cases: [what: string, message: DeviceMessage, bytes: number, cost: number][] = [
    ['a small update', { type: 'rosterSync', step: 'update', payload: nothing }, 50, 1],
    ['an update of 8 MiB', { type: 'rosterSync', step: 'update', payload: nothing }, 8 * 1024 * 1024, 2_049],
    [
      'a compressed update, by what it is inflated to',
      { type: 'deflatedRoster', step: 'update', size: 1024 * 1024, payload: nothing },
      2_000,
      257,
    ],
    ['a step 1 of one client', { type: 'rosterSync', step: 'step1', payload: vectorOf(1) }, 10, 1],
    ['a step 1 of 6,400 clients', { type: 'ownProfile', step: 'step1', payload: vectorOf(6_400) }, 10, 101],
    ['a hello', { type: 'hello', version: 1, cursor: nothing }, 10, 8],
    ['a hello that names 256 owners', { type: 'hello', version: 1, cursor: nothing, owners: names(256) }, 10, 264],
    ['a watch of 4,096', { type: 'watch', owners: names(4_096) }, 10, 257],
    ['a watch of 15', { type: 'watch', owners: names(15) }, 4_095, 1],
    ['a watch of 16', { type: 'watch', owners: names(16) }, 4_096, 3],
    ['a step 1 of 63 clients', { type: 'rosterSync', step: 'step1', payload: vectorOf(63) }, 10, 1],
    ['a step 1 of 64 clients', { type: 'rosterSync', step: 'step1', payload: vectorOf(64) }, 10, 2],
    ['a message', { type: 'sendMessage', id: '1', to: 'bob', text: 'a' }, 10, 2],
    ['a barrier', { type: 'barrier', id: 1, withFeed: false }, 10, 1],
    ['an update of the profile', { type: 'ownProfile', step: 'update', payload: nothing }, 10, 1],
    ['a fetch', { type: 'fetch', owner: 'bob' }, 10, 2],
    ['a renewal', { type: 'renew', token: 'a' }, 10, 8],
    ['a query of awareness', { type: 'queryAwareness' }, 1, 1],
    ['an acknowledgement', { type: 'received', id: '1', from: 'bob' }, 10, 0],
  ]
  test.each(cases)('%s', (_, message, bytes, cost) => {
    expect(costOf(message, bytes)).toBe(cost)
  })
})

test('[S1][S3] a state vector with a count of clients that its bytes cannot hold is refused', async () => {
  const world = await serverWorld()
  const [mallory] = await world.devices('mallory')
  const payload = Uint8Array.of(0xf0, 0xfb, 0x73, 1, 1)
  expect(clientsNamed(payload)).toBe(Number.POSITIVE_INFINITY)
  mallory.send({ type: 'rosterSync', step: 'step1', payload })
  expect((await mallory.closed()).code).toBe(4400)
})

test('[S3] a charge beyond what is left is a debt, which is paid before anything else', () => {
  const clock = new TestClock()
  const work = new TokenBucket(clock, 10, 100)
  work.spend(150)
  expect(work.debtMs).toBe(5_000)
  clock.move(4_000)
  expect(work.debtMs).toBe(1_000)
  clock.move(1_000)
  expect(work.debtMs).toBe(0)
})

test('[S3] frames wait in order while their user owes work, and the socket is not read meanwhile', () => {
  const clock = new TestClock()
  const work = new TokenBucket(clock, 10, 10)
  const seen: string[] = []
  const inbox = new Inbox<number>({
    waitMs: () => work.debtMs,
    turn: () => undefined,
    backlog: () => undefined,
    handle: cost => {
      work.spend(cost)
      seen.push(String(cost))
    },
    pause: () => seen.push('paused'),
    resume: () => seen.push('resumed'),
    after: (delayMs, task) => clock.after(delayMs, task),
  })
  for (const cost of [30, 5, 1]) inbox.add(cost)
  expect(seen).toEqual(['30', 'paused'])
  expect(inbox.isPaused).toBe(true)
  clock.move(2_000)
  expect(seen).toEqual(['30', 'paused', '5'])
  clock.move(500)
  expect(seen).toEqual(['30', 'paused', '5', '1', 'resumed'])
  expect(inbox.isPaused).toBe(false)
})

test('[S3] a closed inbox handles nothing more, and lets the socket be read for its close frame', () => {
  const clock = new TestClock()
  const work = new TokenBucket(clock, 10, 10)
  const seen: string[] = []
  const inbox = new Inbox<number>({
    waitMs: () => work.debtMs,
    turn: () => undefined,
    backlog: () => undefined,
    handle: cost => work.spend(cost),
    pause: () => undefined,
    resume: () => seen.push('resumed'),
    after: (delayMs, task) => clock.after(delayMs, task),
  })
  inbox.add(30)
  inbox.add(1)
  inbox.end()
  clock.move(10_000)
  expect(seen).toEqual(['resumed'])
})

test('[S3] other users have their turn between many frames that come at once', async () => {
  const share = new TurnShare()
  const handled: number[] = []
  let inThisTurn = 0
  const port = {
    waitMs: () => 0,
    turn: () => share.whenNext,
    backlog: () => undefined,
    handle: (cost: number) => {
      share.spend(cost)
      inThisTurn += cost
    },
    pause: () => undefined,
    resume: () => undefined,
    after: () => () => undefined,
  }
  // All sockets of a user share one quota.
  const inboxes = [new Inbox<number>(port), new Inbox<number>(port)]
  for (let n = 0; n < 50; n++) for (const inbox of inboxes) inbox.add(2)
  for (let turn = 0; turn < 100 && handled.reduce((sum, cost) => sum + cost, 0) < 200; turn++) {
    handled.push(inThisTurn)
    inThisTurn = 0
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(handled.reduce((sum, cost) => sum + cost, 0)).toBe(200)
  expect(Math.max(...handled)).toBe(10)
})

test('[S3] after a frame that costs as much as 20 turns may, the next one of its user is handled 20 turns later', async () => {
  const share = new TurnShare()
  share.spend(200)
  let turns = 0
  let isOver = false
  const next = share.whenNext?.then(() => {
    isOver = true
  })
  for (; !isOver; turns++) await new Promise(resolve => setImmediate(resolve))
  await next
  expect(turns).toBeGreaterThanOrEqual(20)
  expect(turns).toBeLessThanOrEqual(22)
  expect(share.whenNext).toBe(undefined)
})

test('[S3] a turn of the event loop handles at most 10 frames of one user, also when they cost nothing', async () => {
  const share = new TurnShare()
  for (let turn = 0; turn < 2; turn++) {
    for (let frame = 0; frame < 10; frame++) {
      expect(share.whenNext).toBe(undefined)
      share.spend(0)
    }
    await share.whenNext
  }
  expect(share.whenNext).toBe(undefined)
  for (let frame = 0; frame < 9; frame++) share.spend(0)
  expect(share.whenNext).toBe(undefined)
  share.spend(0)
  expect(share.whenNext).toBeInstanceOf(Promise)
})

test('[S3] the cost of one device delays the frames of all of the user’s devices, and closes none', async () => {
  const world = await serverWorld({ limits: { workPerSecond: 20, workBurst: 100 } })
  const [phone, laptop, other] = await world.devices('alice', 'alice', 'bob')
  await phone.close()
  await phone.connect()
  phone.send({ type: 'hello', version: 1, cursor: nothing, owners: names(200) })
  await phone.next('welcome')
  let isAnswered = false
  const answer = laptop.barrier().then(() => {
    isAnswered = true
  })
  for (let round = 0; round < 20; round++) await other.barrier()
  expect(isAnswered).toBe(false)
  // Less than two heartbeats, because no device answers a ping meanwhile.
  world.clock.move(14_000)
  await answer
  expect(laptop.isConnected).toBe(true)
})

test('[S3] the owners that a hello names are looked up in slices, and no commit has more than 16 of them', async () => {
  const world = await engineWorld()
  let underWay = 0
  let most = 0
  const { commit } = world.store
  world.store.commit = async change => {
    if (change.type !== 'lookup') return commit(change)
    most = Math.max(most, ++underWay)
    return commit(change).finally(() => underWay--)
  }
  const phone = await world.signIn('bob')
  phone.send({ type: 'hello', version: 1, cursor: nothing, owners: names(200) })
  await vi.waitFor(() => expect(phone.frames.some(({ type }) => type === 'caughtUp')).toBe(true))
  expect(most).toBe(16)
})

test('[S3] acknowledgements of messages that were never sent count as writes; those of received messages cost nothing', async () => {
  const world = await serverWorld({ limits: { writesBurst: 60, writesPerSecond: 1 } })
  const [alice, bob] = await world.devices('alice', 'bob')
  // A sender who may know whether Bob is online learns the outcome of a message.
  await alice.fetch('bob')
  for (let n = 0; n < 20; n++) expect(await alice.sendMessage('bob', 'hello')).toBe('delivered')
  await settle(bob)
  for (let n = 0; n < 60; n++) bob.send({ type: 'received', id: 'none', from: 'alice' })
  await bob.barrier().catch(() => undefined)
  expect(bob.isConnected).toBe(false)
  expect((await bob.closed()).reason).toMatch(/^too-many-writes /)
})

test.each(['ping', 'pong'] as const)('[S3] unsolicited %ss count as writes', async kind => {
  const world = await serverWorld({ limits: { writesBurst: 60, writesPerSecond: 1 } })
  const [mallory] = await world.devices('mallory')
  for (let n = 0; n < 60; n++) mallory.socket[kind]()
  await mallory.barrier().catch(() => undefined)
  expect(mallory.isConnected).toBe(false)
  expect((await mallory.closed()).code).toBe(4529)
})

test('a pong that answers none of the last pings does not keep a connection open', async () => {
  const world = await serverWorld()
  const [mallory, alice] = await world.devices('mallory', 'alice')
  ;(mallory.socket as unknown as { _autoPong: boolean })._autoPong = false
  for (let beat = 0; beat < 3; beat++) {
    world.clock.move(15_000)
    if (mallory.isConnected) mallory.socket.pong('anything')
    await settle(alice)
  }
  for (let turn = 0; turn < 20 && mallory.isConnected; turn++) await settle(alice)
  expect(mallory.isConnected).toBe(false)
})

test('[V10] the cost of a change does not depend on the rosters of others', async () => {
  const relationsOf = async (areOthersInterested: boolean): Promise<number[]> => {
    const clock = new TestClock()
    const store = storeOver(await newDatabase('memory'), clock, { unaskedOwners: 2 })
    const others = names(40)
    for (const other of others) {
      const facts = { isContact: true, levels: [1], isBlocked: false }
      await store.commit(rosterChange(other, areOthersInterested ? { alice: facts, bob: facts } : { zoe: facts }))
    }
    const { accounts, device } = accountsOver(store, clock)
    const alice = device('alice')
    alice.connect()
    alice.edit([{ root: 'settings', key: 'autoSync', value: false }])
    // Bob follows as many owners as the limit allows, and must be reviewed when other users grant him levels.
    alice.edit([
      { root: 'contacts', key: 'bob', value: true },
      { root: 'grants', key: '1/bob', value: true },
    ])
    await accounts.idle()
    alice.edit([{ root: 'contacts', key: 'user 7', value: true }])
    await accounts.idle()
    expect(alice.failures).toEqual([])
    return alice.relations
  }
  expect(await relationsOf(true)).toEqual(await relationsOf(false))
})

test('[S3] feeds of one user are opened one after the other, also after a failure; feeds of other users in parallel', async () => {
  const openings = new OneAtATime()
  const steps: string[] = []
  const opening = (name: string, ends: Promise<void>) => async (): Promise<void> => {
    steps.push(name)
    await ends
  }
  let fail: (error: Error) => void = () => undefined
  const failing = new Promise<void>((_, reject) => {
    fail = reject
  })
  const first = openings.run('alice', opening('first', failing))
  const second = openings.run('alice', opening('second', Promise.resolve()))
  await openings.run('bob', opening('of bob', Promise.resolve()))
  expect(steps).toEqual(['first', 'of bob'])
  fail(new Error('the disk'))
  await expect(first).rejects.toThrow('the disk')
  await second
  expect(steps).toEqual(['first', 'of bob', 'second'])
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  expect(openings.size).toBe(0)
})

test('[V10] the cost of a return depends on the user’s own roster, not on the rosters of others', async () => {
  const store = storeOver(await newDatabase('memory'), new TestClock())
  await store.commit(rosterChange('alice', { zoe: { isContact: true } }))
  for (const other of names(20)) await store.commit(rosterChange(other, { alice: { isContact: true, levels: [1] } }))
  const relay = new Relay(store)
  const feed = new Feed(
    'alice',
    relay,
    { outstandingBytes: 0, send: () => undefined, together: atOnce, fail: () => undefined },
    1_000,
  )
  await feed.open(undefined)
  expect(feed.relations).toBe(1)
  feed.close()
})

test('[S3] a change is charged by the users whom it names, and by the whole roster where it concerns all of them', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const { accounts, device } = accountsOver(store, clock)
  const alice = device('alice')
  alice.edit(names(1_000).map(key => ({ root: 'contacts', key, value: true })))
  await accounts.idle()
  alice.edit([{ root: 'settings', key: 'autoSync', value: false }])
  await accounts.idle()
  const [sync, autoSync] = alice.relations as [number, number]
  expect(sync).toBe(1_000)
  expect(autoSync).toBeGreaterThan(20)
})

describe('[F2] a device that stops reading', () => {
  test('[F2] a device has stalled if the network accepted nothing during two heartbeats although bytes wait', () => {
    const stall = new StallWatch()
    stall.sent(1_000)
    expect(stall.beat(600)).toBe(false)
    expect(stall.beat(600)).toBe(false)
    expect(stall.beat(600)).toBe(true)
  })

  test('[F2] a device has not stalled while the network accepts anything, however slowly', () => {
    const stall = new StallWatch()
    stall.sent(1_000)
    for (let left = 990; left > 0; left -= 10) expect(stall.beat(left)).toBe(false)
  })

  test('[F2] a device has stalled also if more is sent to it meanwhile', () => {
    const stall = new StallWatch()
    const beats: boolean[] = []
    for (let sent = 1; sent <= 3; sent++) {
      stall.sent(100)
      beats.push(stall.beat(sent * 100))
    }
    expect(beats).toEqual([false, true, true])
  })

  test('[F2] a device has not stalled while no bytes wait for it', () => {
    const stall = new StallWatch()
    for (let beat = 0; beat < 5; beat++) expect(stall.beat(0)).toBe(false)
  })
})
