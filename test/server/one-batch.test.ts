import type { Commit, LevelDatabase } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import { batchOfEitherKind } from '../support/chained-batch.ts'
import { keys, profileChange, rosterChange, userChange } from '../support/server-internals.ts'
import { faulty, newDatabase, storeOver } from '../support/stores.ts'

type Batch = { keys: string[]; options: unknown }

/** A database that records what is written, batch by batch. */
function watched(inner: LevelDatabase): { database: LevelDatabase; batches: Batch[] } {
  const batches: Batch[] = []
  const batch = batchOfEitherKind((operations: { key: string }[], options): Promise<void> => {
    batches.push({ keys: operations.map(({ key }) => key), options })
    return (inner.batch as (...args: unknown[]) => Promise<void>)(operations, options)
  })
  const database = new Proxy(inner, {
    get(target, name) {
      if (name === 'batch') return batch
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { database, batches }
}

test('[D2][D4] a commit is one synced batch of the documents and all derived records', async () => {
  const { database, batches } = watched(await newDatabase('memory'))
  const store = storeOver(database, new TestClock())
  const facts = { bob: { levels: [1] } }
  const { position } = await store.commit({ ...rosterChange('alice', facts), ...profileChange('alice', { 1: '+44' }) })
  expect(batches).toMatchObject([{ options: { sync: true } }])
  expect(batches[0]?.keys).toEqual(
    expect.arrayContaining([
      keys.position,
      keys.user('alice'),
      keys.update('alice', 'roster', position),
      keys.update('alice', 'profile', position),
      keys.level('alice', 1),
      keys.change(position),
      keys.relation('alice', 'bob'),
      keys.relation('bob', 'alice'),
    ]),
  )
})

test('[D2] after a failed write, nothing is written before the database is reopened', async () => {
  const { database, failNextBatches } = faulty(await newDatabase('memory'))
  let isLocked = false
  const stubborn = new Proxy(database, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'open' && isLocked) return () => Promise.reject(new Error('the disk cannot be read'))
      return value
    },
  })
  const clock = new TestClock()
  const store = storeOver(stubborn, clock)
  await store.commit(userChange('alice'))
  failNextBatches(1)
  isLocked = true
  const refused = { code: 'unavailable', cause: { message: 'the disk cannot be read' } }
  await expect(store.commit(userChange('bob'))).rejects.toMatchObject(refused)
  await expect(store.commit(userChange('dave'))).rejects.toMatchObject(refused)
  isLocked = false
  clock.move(1_000)
  await expect.poll(() => store.refusal).toBe(undefined)
  expect((await store.commit(userChange('carol'))).position).toBe(2)
  expect((await store.user('bob')).registeredAt).toBe(0)
  await store.close()
})

test('[D2] when old changes cannot be deleted, the database is reopened before the next write', async () => {
  const database = await newDatabase('memory')
  const done: string[] = []
  let failures = 1
  const noting = new Proxy(database, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name === 'clear' && failures-- > 0) return () => Promise.reject(new Error('the disk is full'))
      if (name === 'open' || name === 'batch') done.push(name)
      return value.bind(target)
    },
  })
  const store = storeOver(noting, new TestClock())
  expect((await store.commit(userChange('alice'))).position).toBe(1)
  expect((await store.commit(userChange('bob'))).position).toBe(2)
  expect(done).toEqual(['batch', 'open', 'batch'])
})

test('[V5][S4] an erasure removes, and the budget counts, what the same batch wrote earlier', async () => {
  const store = storeOver(await newDatabase('memory'), new TestClock(), { lookups: 2, lookupsPerDay: 24 })
  const lookUp = (user: string, owner: string): Promise<Commit> => store.commit({ type: 'lookup', user, owner })
  const [, , , again, another] = await Promise.all([
    store.commit(userChange('first')), // A batch of its own: the others share the next.
    store.commit(userChange('bob')),
    lookUp('bob', 'a'),
    lookUp('bob', 'a'),
    lookUp('bob', 'b'),
    store.commit(userChange('alice')),
    store.commit(profileChange('alice', { 0: 'secret' })),
    lookUp('alice', 'a'),
    store.commit({ type: 'erase', user: 'alice' }),
  ])
  expect([again.retryAfterMs, another.retryAfterMs]).toEqual([undefined, undefined])
  expect((await store.document('alice', 'profile')).parts).toEqual([])
  expect(await store.levels([{ owner: 'alice', level: 0 }])).toEqual([undefined])
  expect(await store.hasAsked('alice', 'a')).toBe(false)
})

test.each(['lookup', 'promote'] as const)(
  '[S4] a change of type %s waits for the record of its user, also if that is read late',
  async type => {
    const database = await newDatabase('memory')
    const store = storeOver(
      new Proxy(database, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target)
          if (name !== 'getMany') return typeof value === 'function' ? value.bind(target) : value
          return async (wanted: string[]) => {
            const found = await target.getMany(wanted)
            const isLate = wanted.includes(keys.user('bob'))
            for (let turns = 0; isLate && turns < 20; turns++) await new Promise(resolve => setImmediate(resolve))
            return found
          }
        },
      }),
      new TestClock(),
      { lookups: 1, lookupsPerDay: 24, follows: 1 },
    )
    await store.commit(rosterChange('bob', { alice: { isSubscribed: true } }))
    if (type === 'promote') expect(await store.commit({ type, user: 'bob' })).toMatchObject({ pairs: [] })
    else expect(await store.commit({ type, user: 'bob', owner: 'carol' })).toMatchObject({ retryAfterMs: 3_600_000 })
  },
)
