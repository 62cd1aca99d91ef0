import { defaultLimits } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { engineWorld, rest } from '../support/engine-world.ts'
import {
  type DocumentsChange,
  lookupDelayMs,
  profileChange,
  rosterChange,
  type UserRecord,
} from '../support/server-internals.ts'

const hourMs = 60 * 60 * 1000

/** A change of Bob's roster that follows these owners, with the facts that the store uses. */
function follows(...owners: string[]): DocumentsChange {
  const change = rosterChange('bob', Object.fromEntries(owners.map(owner => [owner, { isSubscribed: true }])))
  if (change.roster) change.roster.update = Y.encodeStateAsUpdateV2(new Y.Doc())
  return change
}

test('[S3][S4] a follow for which the budget refills while the others are served is served a second later', async () => {
  const world = await engineWorld({ lookups: 2, lookupsPerDay: 24 })
  const { store, clock } = world
  const owners = ['alice', 'carol', 'dave']
  for (const owner of owners) await store.commit(profileChange(owner, { 0: owner }))
  await store.commit(follows(...owners))
  expect((await store.user('bob')).waiting).toBe(1)
  const line = await world.signIn('bob')
  const held = world.hold('commit')
  line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
  const release = await held
  clock.move(hourMs)
  release()
  await rest()
  expect((await store.user('bob')).waiting).toBe(1)
  clock.move(1_000)
  await rest()
  expect((await store.user('bob')).waiting).toBe(0)
  expect(line.frames.filter(({ type }) => type === 'profile').length).toBe(3)
})

test('[S3] while changes are refused, waiting follows do not keep the server busy', async () => {
  const world = await engineWorld({ lookups: 1, lookupsPerDay: 24 })
  const { store, clock } = world
  await store.commit(follows('alice', 'carol'))
  const line = await world.signIn('bob')
  const held = world.hold('commit')
  line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
  const release = await held
  clock.move(hourMs)
  Object.defineProperty(store, 'refusal', { value: new Error('the disk is full') })
  release()
  await rest()
  let reads = 0
  const user = store.user
  store.user = id => {
    reads++
    return user(id)
  }
  for (let round = 0; round < 10; round++) {
    clock.move(10)
    await rest()
  }
  expect(reads).toBe(0)
  clock.move(1_000)
  await rest()
  expect(reads).toBeGreaterThan(0)
})

test('[S4] look-ups that are left need no wait, and a budget that is never refilled means a wait of 30 days', () => {
  const limits = { ...defaultLimits, lookups: 10, lookupsPerDay: 0 }
  const spent = (left: number): UserRecord => ({ lookups: { left, atMs: 0 } }) as UserRecord
  const delays = [5, 2, 3, 4].map(wanted => lookupDelayMs(spent(3), 0, wanted, limits) / hourMs / 24)
  expect(delays).toEqual([30, 0, 0, 30])
  // With one look-up per hour, the wait is exactly as long as needed.
  const hourly = { ...limits, lookupsPerDay: 24 }
  expect([3, 4, 5, 10].map(wanted => lookupDelayMs(spent(3), 0, wanted, hourly) / hourMs)).toEqual([0, 1, 2, 7])
  expect(lookupDelayMs(spent(3), hourMs, 4, hourly)).toBe(0)
})

test('[S1] of a roster with thousands of waiting follows, only as much is read as the message about them names', async () => {
  const world = await engineWorld({ follows: 1 })
  const { store } = world
  const owners = Array.from({ length: 2_000 }, (_, index) => `owner ${String(index).padStart(4, '0')}`)
  await store.commit(follows(...owners))
  const relationsOf = store.relationsOf.bind(store)
  const pages: number[] = []
  store.relationsOf = async function* (user) {
    const call = pages.push(0) - 1
    for await (const page of relationsOf(user)) {
      pages[call] = (pages[call] ?? 0) + 1
      yield page
    }
  }
  const line = await world.signIn('bob')
  line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
  await rest()
  const failures = line.frames.flatMap(frame => (frame.type === 'failure' ? [frame] : []))
  expect(failures).toMatchObject([{ code: 'too-many-follows', count: 1_999, addresses: owners.slice(1, 101) }])
  expect(Math.min(...pages)).toBe(1)
})

test('[S4] a session waits with a timer for look-ups that come within a day, and with none for later ones', async () => {
  const timers: number[] = []
  for (const lookupsPerDay of [24, 1, 0]) {
    const world = await engineWorld({ lookups: 1, lookupsPerDay })
    await world.store.commit(follows('alice', 'carol'))
    const line = await world.signIn('bob')
    line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
    await rest()
    expect(line.frames.find(({ type }) => type === 'failure')).toMatchObject({ code: 'discovery-limit', count: 1 })
    timers.push(world.clock.timerCount)
  }
  const [hourly = 0, daily, never] = timers
  expect([daily, never]).toEqual([hourly, hourly - 1])
})

test('[S4] a waiting follow is served when the device fetches it and the budget has refilled, before any timer says so', async () => {
  const world = await engineWorld({ lookups: 1, lookupsPerDay: 24 })
  const { store, clock } = world
  for (const owner of ['alice', 'carol']) await store.commit(profileChange(owner, { 0: owner }))
  await store.commit(follows('alice', 'carol'))
  const line = await world.signIn('bob')
  line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
  await rest()
  expect((await store.user('bob')).waiting).toBe(1)
  clock.leap(hourMs)
  line.send({ type: 'fetch', owner: 'carol' })
  await rest()
  expect((await store.user('bob')).waiting).toBe(0)
})
