import { TestClock } from '@kith/server/testing'
import { defaultLimits } from '@kith/shared'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { accountsOver } from '../support/account-world.ts'
import type { Device } from '../support/raw-device.ts'
import { Documents } from '../support/server-internals.ts'
import { serverWorld, settle } from '../support/server-world.ts'
import { faulty, newDatabase, storeOver } from '../support/stores.ts'

test('[D2] a sweep of the documents in memory during a commit loses nothing, and a later write of another device is kept', async () => {
  const world = await serverWorld()
  const [phone, laptop, tablet] = await world.devices('alice', 'alice', 'alice')
  phone.edit('bob', { label: 'before' })
  await settle(phone, laptop, tablet)
  const held = world.disk.hold()
  phone.edit('bob', { label: 'Bob', levels: [1] })
  await held
  // Two heartbeats, each with a sweep that evicts documents unused for 30 seconds.
  world.clock.move(30_000)
  laptop.edit('carol', { label: 'Carol' })
  phone.edit('bob', { levels: [1, 2] })
  await Promise.all([heard(laptop), heard(phone)])
  world.disk.release()
  await settle(phone, laptop, tablet)
  const again = world.device('alice')
  await again.signIn()
  for (const device of [phone, laptop, tablet, again]) {
    expect(device.roster.getMap('labels').toJSON()).toEqual({ bob: 'Bob', carol: 'Carol' })
    expect(Object.keys(device.roster.getMap('grants').toJSON()).sort()).toEqual(['1/bob', '2/bob'])
  }
  expect(await world.check()).toEqual([])
})

test('[D2] after a sweep a document is read from the disk again, and goes on from there', async () => {
  const world = await serverWorld()
  const [phone, laptop] = await world.devices('alice', 'alice')
  for (let round = 0; round < 3; round++) {
    phone.edit('bob', { label: `Bob ${round}` })
    await settle(phone, laptop)
    const beats = [phone.next('awareness'), laptop.next('awareness')]
    world.clock.move(30_000)
    await Promise.all(beats)
    laptop.edit(`friend-${round}`, { levels: [round] })
    await settle(phone, laptop)
  }
  for (const { roster } of [phone, laptop]) {
    expect(roster.getMap('labels').toJSON()).toEqual({ bob: 'Bob 2' })
    expect(Object.keys(roster.getMap('grants').toJSON()).sort()).toEqual(['0/friend-0', '1/friend-1', '2/friend-2'])
  }
  expect(await world.check()).toEqual([])
})

test('[D2][V6] after a sweep during a commit that then fails, what the device wrote behind it is not written either', async () => {
  const clock = new TestClock()
  const { database, failNextBatches } = faulty(await newDatabase('memory'))
  const store = storeOver(database, clock)
  const { accounts, device } = accountsOver(store, clock)
  const alice = device('alice')
  alice.connect()
  await accounts.idle()
  const { position } = store
  let release: () => void = () => undefined
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const began = new Promise<void>(resolve => {
    const inner = store.commit
    store.commit = async change => {
      resolve()
      await held
      return inner(change)
    }
  })
  failNextBatches(1)
  alice.edit([{ root: 'blocks', key: 'aaaaaaaa/bob', value: true }])
  await began
  clock.leap(30_000)
  accounts.sweep()
  alice.edit([{ root: 'fields', key: '0/aaaaaaaa/mood', value: 'a secret' }])
  for (let turns = 0; turns < 100; turns++) await new Promise(resolve => setImmediate(resolve))
  release()
  await accounts.idle()
  expect([alice.failures.length, store.position, (await store.document('alice', 'profile')).parts]).toEqual([
    1,
    position,
    [],
  ])
})

describe('[F2] documents in memory', () => {
  const clock = new TestClock()

  /** Documents over a store that records which users' documents are read. */
  async function cache(maxHeapBytes?: number): Promise<{ documents: Documents; reads: () => string[] }> {
    const store = storeOver(await newDatabase('memory'), clock)
    const read: string[] = []
    const counting = new Proxy(store, {
      get: (target, name) =>
        name === 'document'
          ? (user: string, document: 'roster') => {
              read.push(user)
              return target.document(user, document)
            }
          : Reflect.get(target, name, target),
    })
    const documents = new Documents({
      ...{ store: counting, clock, limits: defaultLimits },
      ...(maxHeapBytes !== undefined && { maxHeapBytes }),
    })
    return { documents, reads: () => read.splice(0) }
  }

  test('[F2] documents are read once while they are used, and leave memory after 30 unused seconds', async () => {
    const { documents, reads } = await cache()
    for (const user of ['alice', 'bob']) await documents.stateVector(user, 'roster')
    clock.leap(20_000)
    documents.sweep()
    await documents.stateVector('bob', 'roster')
    clock.leap(10_000)
    documents.sweep()
    expect(reads()).toEqual(['alice', 'bob'])
    for (const user of ['alice', 'bob']) await documents.stateVector(user, 'roster')
    expect(reads(), 'Alice’s was not used for 30 seconds').toEqual(['alice'])
  })

  test('[F2] the documents of a user are read again after they were discarded, and those of other users are not', async () => {
    const { documents, reads } = await cache()
    const all = [
      ['alice', 'roster'],
      ['alice', 'profile'],
      ['bob', 'roster'],
    ] as const
    for (const [user, name] of all) await documents.stateVector(user, name)
    documents.discard('alice')
    documents.discard('nobody')
    for (const [user, name] of all) await documents.stateVector(user, name)
    expect(reads()).toEqual(['alice', 'alice', 'bob', 'alice', 'alice'])
  })

  test('[F2] documents of an account without work are swept, those of an account with work are not', async () => {
    const store = storeOver(await newDatabase('memory'), clock)
    const { accounts, device } = accountsOver(store, clock)
    const alice = device('alice')
    alice.connect()
    await accounts.idle()
    let reads = 0
    const inner = store.document
    store.document = (...args) => {
      reads++
      return inner(...args)
    }
    alice.edit([{ root: 'labels', key: 'bob', value: 'Bob' }])
    await accounts.idle()
    expect(reads, 'in memory').toBe(0)
    clock.leap(30_000)
    accounts.sweep()
    alice.edit([{ root: 'labels', key: 'bob', value: 'Robert' }])
    await accounts.idle()
    expect([reads, alice.refused, alice.resends]).toEqual([1, [], 0])
  })
})

test('[R3] an update that is sent again, or changes nothing, is admitted without a commit', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const { accounts, device } = accountsOver(store, clock)
  const alice = device('alice')
  alice.connect()
  alice.edit([{ root: 'labels', key: 'bob', value: 'Bob' }])
  await accounts.idle()
  const { position } = store
  const { commits } = alice
  for (const document of ['roster', 'profile'] as const) alice.send(document, Y.encodeStateAsUpdate(alice[document]))
  await accounts.idle()
  expect([store.position, alice.commits, alice.refused, alice.failures]).toEqual([position, commits, [], []])
})

/** Resolves when the server has received what this device sent. */
async function heard({ socket }: Device): Promise<void> {
  const ponged = new Promise(resolve => socket.once('pong', resolve))
  socket.ping()
  await ponged
}
