import { check, type LevelDatabase, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { expect, onTestFinished, test } from 'vitest'
import { accountsOver } from '../support/account-world.ts'
import {
  decodeRelation,
  encodeRelation,
  encodeUser,
  following,
  type KeyRange,
  keys,
  Lapsing,
  type LapsingPort,
  newUser,
  PagedReads,
  partsOf,
  ReadGate,
  ranges,
  rosterChange,
  storeOn,
  userChange,
} from '../support/server-internals.ts'
import { dayMs, limitsWith, newDatabase } from '../support/stores.ts'

test('[F1] 400 days leave 92 records, and the oldest cursor that is served is the same', async () => {
  const database = await newDatabase('memory')
  const clock = new TestClock()
  const store = await storeOn(database, { limits: limitsWith(), clock })
  /** The position at which each day began. */
  const days: number[] = []
  for (let day = 0; day < 400; day++) {
    days.push(store.position)
    // There are days without a commit.
    if (day % 7 !== 3) await store.commit(userChange(`user ${day % 50}`, { restricted: day % 2 === 0 }))
    clock.leap(dayMs)
    if (day % 50 !== 49) continue
    const written = days.filter((_, index) => index % 7 !== 3 && index <= day + 1 - 90)
    expect(await store.oldestCursor()).toBe(written.at(-1) ?? 0)
  }
  expect((await database.keys(ranges.days).all()).length).toBeLessThanOrEqual(92)
  await store.close()
})

test('[F1] a clock that was far ahead for a while does not make cursors too old, though past days are gone', async () => {
  const database = await newDatabase('memory')
  const clock = new TestClock()
  const store = await storeOn(database, { limits: limitsWith(), clock })
  for (let day = 0; day < 100; day++) {
    await store.commit(userChange(`user ${day}`))
    clock.leap(dayMs)
  }
  clock.leap(1_000 * dayMs)
  await store.commit(userChange('far ahead'))
  clock.leap(-1_000 * dayMs)
  expect(await store.oldestCursor()).toBeLessThanOrEqual(10)
  await store.commit(userChange('back'))
  expect(await database.get(keys.day(clock.now() - (clock.now() % dayMs)))).toBeDefined()
  expect(await store.changedSince(90, 1_000)).toBe(undefined)
  await store.close()
})

/** A store in memory whose clock advances one day at a time, with a commit each day. */
async function days(): Promise<{
  store: Store
  database: LevelDatabase
  clock: TestClock
  pass(count: number): Promise<void>
  stored(range: KeyRange): Promise<string[]>
}> {
  const database = await newDatabase('memory')
  const clock = new TestClock()
  const store = await storeOn(database, { limits: limitsWith(), clock })
  onTestFinished(() => store.close())
  return {
    ...{ store, database, clock },
    async pass(count) {
      for (let day = 0; day < count; day++) {
        clock.leap(dayMs)
        await store.commit(userChange('daily', { restricted: day % 2 === 0 }))
        await settled()
      }
    },
    stored: async range => (await database.keys(range).all()).map(key => partsOf(key).slice(1).join('/')),
  }
}

/** Background work of a store takes a few turns in memory. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise(resolve => setImmediate(resolve))
}

test('[F1] a relation that is over is removed when no cursor from before is served, also if the clock is put back then', async () => {
  const { store, clock, pass, stored } = await days()
  for (const user of ['alice', 'bob']) await store.commit(userChange(user))
  await store.commit(following('bob', 'alice', 'carol'))
  const { position } = await store.commit(rosterChange('bob', { alice: {} }))
  await pass(90)
  expect(await stored(ranges.allRelations)).toContain('bob/alice')
  expect(await store.oldestCursor()).toBeLessThan(position)
  await pass(3)
  expect(await stored(ranges.allRelations)).toEqual(['bob/carol', 'carol/bob'])
  expect((await store.relations('bob')).map(({ owner }) => owner)).toEqual(['carol'])
  clock.leap(-60 * dayMs)
  expect(await store.oldestCursor()).toBeGreaterThanOrEqual(position)
  await store.commit(userChange('back'))
  expect(await store.oldestCursor()).toBeGreaterThanOrEqual(position)
})

test('[F1][S4] a relation or a look-up that cannot be read stays, and the others go all the same', async () => {
  const { store, database, pass, stored } = await days()
  for (const user of ['alice', 'bob']) await store.commit(userChange(user))
  for (const owner of ['alice', 'carol']) await store.commit({ type: 'lookup', user: 'bob', owner })
  await store.commit(following('bob', 'alice'))
  await store.commit(rosterChange('bob', { alice: {} }))
  await database.put(keys.relation('bob', 'aaron'), Uint8Array.of(0xff))
  await database.put(keys.relation('bob', 'carol'), Uint8Array.of(0xff))
  await database.put(keys.asked('bob', 'aaron'), new Uint8Array(2))
  await pass(94)
  expect(await stored(ranges.allRelations)).toEqual(['bob/aaron', 'bob/carol'])
  expect(await stored(ranges.allAsked)).toEqual(['bob/aaron', 'bob/carol'])
})

test('[F1] a clock that is far ahead on one day removes no relation, and makes no cursor too old', async () => {
  const { store, database, clock, pass, stored } = await days()
  await store.commit(userChange('carol'))
  await store.commit(following('bob', 'carol'))
  const { position } = await store.commit(rosterChange('bob', { carol: {} }))
  await pass(10)
  clock.leap(1_000 * dayMs)
  await store.commit(userChange('far ahead'))
  await settled()
  // On start, the store looks for the day again.
  const again = await storeOn(database, { limits: limitsWith(), clock })
  await again.commit(userChange('far ahead', { restricted: true }))
  await settled()
  clock.leap(-1_000 * dayMs)
  await pass(3)
  expect(await stored(ranges.allRelations)).toEqual(['bob/carol'])
  expect(await store.oldestCursor()).toBeLessThan(position)
})

test('[F1] a clock that is far ahead for two minutes around midnight removes no relation, and makes no cursor too old', async () => {
  const { store, clock, pass, stored } = await days()
  await store.commit(userChange('carol'))
  await store.commit(following('bob', 'carol'))
  const { position } = await store.commit(rosterChange('bob', { carol: {} }))
  await pass(10)
  const toMidnight = dayMs - (clock.now() % dayMs)
  clock.leap(1_000 * dayMs + toMidnight - 60_000)
  await store.commit(userChange('ahead'))
  clock.leap(120_000)
  await store.commit(userChange('ahead', { restricted: true }))
  await settled()
  clock.leap(-1_000 * dayMs)
  await pass(3)
  expect(await stored(ranges.allRelations)).toEqual(['bob/carol'])
  expect(await store.oldestCursor()).toBeLessThan(position)
})

test('[F1] a clock that was a year behind for a while makes no cursor too old, neither before the next change nor after it', async () => {
  const { store, clock, pass } = await days()
  await pass(50)
  clock.leap(-365 * dayMs)
  await store.commit(userChange('behind'))
  clock.leap(365 * dayMs)
  expect(await store.oldestCursor()).toBe(0)
  await pass(3)
  expect(await store.oldestCursor()).toBe(0)
})

test('[S4] look-ups outlast a clock that is far ahead on one day, and so do those that are charged while it is far behind', async () => {
  const { store, clock, pass, stored } = await days()
  await store.commit({ type: 'lookup', user: 'bob', owner: 'stranger' })
  await pass(10)
  const awayMs = clock.now() - dayMs
  for (const leapMs of [1_000 * dayMs, -awayMs]) {
    clock.leap(leapMs)
    await store.commit({ type: 'lookup', user: 'bob', owner: `at ${leapMs > 0 ? 'a later' : 'an earlier'} time` })
    await settled()
    clock.leap(-leapMs)
    await pass(3)
  }
  expect(await stored(ranges.allAsked)).toEqual(['bob/at a later time', 'bob/at an earlier time', 'bob/stranger'])
  await pass(91)
  expect(await stored(ranges.allAsked)).toEqual(['bob/at a later time'])
})

test('[F3] a relation that is over is kept while it says that an id was announced', async () => {
  const { store, database, clock, pass, stored } = await days()
  await store.commit(userChange('carol'))
  await store.commit(following('bob', 'carol'))
  await store.commit(rosterChange('bob', { carol: {} }))
  await pass(80)
  const [key] = await database.keys(ranges.relations('bob')).all()
  const relation = decodeRelation((await database.get(key as string)) as Uint8Array)
  await database.put(key as string, encodeRelation({ ...relation, joinedAtMs: clock.now() }))
  await pass(25)
  expect(await stored(ranges.allRelations)).toEqual(['bob/carol'])
  await pass(6)
  expect(await stored(ranges.allRelations)).toEqual([])
})

test('[S4] a look-up is forgotten after 91 days, whether or not the id is registered, unless the roster names it', async () => {
  const { store, pass, stored } = await days()
  await store.commit(userChange('registered'))
  await store.commit(following('bob', 'followed'))
  for (const owner of ['registered', 'stranger']) await store.commit({ type: 'lookup', user: 'bob', owner })
  await store.commit(rosterChange('registered', { bob: { levels: [1] } }))
  await pass(91)
  expect(await stored(ranges.allAsked)).toEqual(['bob/followed', 'bob/registered', 'bob/stranger'])
  await pass(1)
  expect(await stored(ranges.allAsked)).toEqual(['bob/followed'])
  expect(await store.hasAsked('bob', 'stranger')).toBe(false)
})

test('[F1][S4] check counts the relations, look-ups and days that lapsed and were left, and none that are needed', async () => {
  const { store, database, clock, pass, stored } = await days()
  const { accounts, device } = accountsOver(store, clock)
  const [alice, bob] = [device('alice'), device('bob')]
  for (const one of [alice, bob]) one.connect()
  bob.edit(['alice', 'carol'].map(key => ({ root: 'subscriptions', key, value: true })))
  await accounts.idle()
  await store.commit({ type: 'lookup', user: 'bob', owner: 'stranger' })
  bob.edit([{ root: 'subscriptions', key: 'alice', value: undefined }])
  await accounts.idle()
  const left = await Promise.all(
    [ranges.allRelations, ranges.allAsked, ranges.days].map(range => database.iterator(range).all()),
  )
  const none = { relations: 0, lookups: 0, days: 0, changes: 0, logs: 0, declined: 0, users: 0, tokens: 0 }
  expect(await check(database)).toMatchObject({ findings: [], leftovers: none })
  await pass(94)
  expect(await stored(ranges.allRelations)).toEqual(['bob/carol', 'carol/bob'])
  // The look-up of Carol is as old, but Bob follows her.
  expect(await stored(ranges.allAsked)).toEqual(['bob/carol'])
  expect(await check(database)).toMatchObject({ findings: [], leftovers: none })
  const wasThere = left.flat().map(([key, value]) => ({ type: 'put' as const, key, value }))
  await database.batch(wasThere)
  expect(await check(database)).toMatchObject({ findings: [], leftovers: { relations: 1, lookups: 2, days: 1 } })
  await pass(1)
  expect(await check(database)).toMatchObject({ findings: [], leftovers: none })
  await database.put(keys.asked('bob', 'dave'), new Uint8Array(2))
  const what = expect.stringContaining('the look-up of "dave" can\'t be read: a look-up with bytes at its end')
  expect((await check(database)).findings).toEqual([{ user: 'bob', what }])
  await database.del(keys.asked('bob', 'dave'))
})

test('[D4] check counts changes from before the oldest cursor, documents whose log outgrew their snapshot, and revocations of users without a record', async () => {
  const { store, database, clock, pass, stored } = await days()
  const { accounts, device } = accountsOver(store, clock)
  const alice = device('alice')
  alice.connect()
  alice.edit([{ root: 'labels', key: 'bob', value: 'Bob' }])
  alice.edit([{ root: 'fields', key: '0/writer-of-alice/name', value: 'Ada' }])
  await accounts.idle()
  await store.commit({ type: 'revoke', user: 'alice' })
  await pass(2)
  const none = { relations: 0, lookups: 0, days: 0, changes: 0, logs: 0, declined: 0, users: 0, tokens: 0 }
  expect((await check(database)).leftovers).toEqual(none)
  const changes = await database.iterator(ranges.changes(0)).all()
  expect(changes.length).toBeGreaterThan(0)
  await pass(95)
  expect((await check(database)).leftovers).toEqual(none)
  await database.batch(changes.map(([key, value]) => ({ type: 'put' as const, key, value })))
  expect((await check(database)).leftovers).toEqual({ ...none, changes: changes.length })
  await pass(1)
  expect(await stored(ranges.changes(0))).toEqual([])
  const updates = await database.iterator(ranges.document('alice', 'roster')).all()
  const [, last] = updates.at(-1) as [string, Uint8Array]
  for (let count = 0; count < 1_000; count++)
    await database.put(keys.update('alice', 'roster', store.position + count), last)
  expect((await check(database)).leftovers).toEqual({ ...none, logs: 1 })
  await store.commit({ type: 'erase', user: 'alice' })
  expect((await check(database)).leftovers).toEqual({ ...none, tokens: 1 })
})

test('[D4] a record that version 0.1.0 wrote of an id that is merely named is counted by check, and removed within a day', async () => {
  const { store, database, pass, stored } = await days()
  await store.commit(following('bob', 'stranger', 'friend'))
  await settled()
  const [users, bytes] = [await stored(ranges.users), encodeUser(newUser())]
  expect(users).not.toContain('stranger')
  const told = encodeUser({ ...newUser(), restricted: true })
  await database.batch([
    ...['aaron', 'stranger'].map(id => ({ type: 'put' as const, key: keys.user(id), value: bytes })),
    { type: 'put', key: keys.user('friend'), value: told },
    { type: 'put', key: keys.user('damaged'), value: Uint8Array.of(0xff) },
  ])
  expect((await check(database)).leftovers).toMatchObject({ users: 2 })
  await pass(2)
  expect(await stored(ranges.users)).toEqual([...users, 'daily', 'damaged', 'friend'].sort())
  expect((await check(database)).leftovers).toMatchObject({ users: 0 })
})

test('[D2] a relation that a commit writes right before it would be removed stays', async () => {
  const { store, database, clock, stored } = await days()
  await store.commit(userChange('carol'))
  await store.commit(following('bob', 'carol'))
  const key = keys.relation('bob', 'carol')
  const standing = (await database.get(key)) as Uint8Array
  await store.commit(rosterChange('bob', { carol: {} }))
  let isDone = false
  const lapsing = new Lapsing({
    ...{ clock, disk: new PagedReads(database, new ReadGate()) },
    retention: {
      lapsed: async () => ({ upTo: store.position, confirmedMs: 0 }),
    } as unknown as LapsingPort['retention'],
    async inQueue(work) {
      await database.put(key, standing)
      await work()
      isDone = true
    },
    write: operations => database.batch([...operations]),
  })
  lapsing.begin()
  await settled()
  await lapsing.close()
  expect(isDone).toBe(true)
  expect(await stored(ranges.allRelations)).toEqual(['bob/carol'])
})

test('[S3] between two pages of the daily look at all relations the server rests, and a stop ends the rest', async () => {
  const { store, database, clock } = await days()
  await store.commit(following('bob', ...Array.from({ length: 750 }, (_, index) => `owner-${index}`)))
  let reads = 0
  const disk = new PagedReads(database, new ReadGate())
  const counted = {
    getMany: (wanted: string[]) => disk.getMany(wanted),
    async *pages(...args: Parameters<PagedReads['pages']>) {
      for await (const page of disk.pages(...args)) {
        reads++
        yield page
      }
    },
  } as unknown as PagedReads
  const lapsing = new Lapsing({
    ...{ clock, disk: counted },
    retention: { lapsed: async () => ({ upTo: 0, confirmedMs: 0 }) } as unknown as LapsingPort['retention'],
    inQueue: work => work(),
    write: operations => database.batch([...operations]),
  })
  lapsing.begin()
  const seen: number[] = []
  for (let step = 0; step < 3; step++) {
    await settled()
    seen.push(reads)
    clock.move(30)
  }
  expect(seen).toEqual([0, 1, 2])
  await settled()
  await lapsing.close()
  expect(reads).toBeLessThan(7) // Of 1,500 relations, in pages of 250, and then the look-ups.
})
