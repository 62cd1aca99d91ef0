import type { Change, LevelDatabase, Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Disk } from '../simulation/world/disk.ts'
import { Seeded } from '../simulation/world/seeded.ts'
import { holdsAsync } from '../support/properties.ts'
import {
  type CommitSizes,
  keys,
  profileChange,
  rosterChange,
  storeOn,
  userChange,
} from '../support/server-internals.ts'
import { limitsWith, newDatabase } from '../support/stores.ts'

const clock = new TestClock()
/**
 * With these sizes, a change that names two other users is prepared beside the queue, and a change that names all is staged.
 */
const sizes: CommitSizes = { recordsInQueue: 7, recordsOfMedium: 9, operationsInBatch: 9, operationsInSlice: 4 }
const users = ['ada', 'bo', 'cy', 'dan', 'eve']

const open = (database: LevelDatabase, own: CommitSizes = sizes): Promise<Store> =>
  storeOn(database, { limits: limitsWith(), clock, sizes: own })

const user = fc.constantFrom(...users)
const facts = fc.record({
  isContact: fc.boolean(),
  levels: fc.uniqueArray(fc.nat({ max: 2 }), { maxLength: 2 }),
  isSubscribed: fc.boolean(),
  isBlocked: fc.boolean(),
})
const names = fc.dictionary(fc.constantFrom('0', '1', '2'), fc.constantFrom('x', 'y', undefined), { minKeys: 1 })
const profile = fc.record({ user, names }).map(({ user, names }): Change => profileChange(user, names))
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: profile },
  {
    weight: 3,
    arbitrary: fc
      .record({
        user,
        facts: fc.dictionary(user, facts, { maxKeys: 4 }),
        audience: fc.constantFrom('everyone', 'nobody'),
      })
      .map(({ user, facts, audience }) => rosterChange(user, facts, { audience: audience as 'everyone' | 'nobody' })),
  },
  fc.record({ user, restricted: fc.boolean() }).map(({ user, restricted }) => userChange(user, { restricted })),
  fc.record({ type: fc.constant('erase' as const), user }),
  fc.record({ type: fc.constant('lookup' as const), user, owner: user }),
  fc.record({ user, minute: fc.nat() }).map((seen): Change => ({ type: 'seen', users: [seen] })),
)
const step = fc.record({
  changes: fc.array(change, { minLength: 1, maxLength: 4 }),
  fault: fc.option(fc.constantFrom('refused' as const, 'written all the same' as const), { freq: 8 }),
})

test('[D4] with what a store remembers of those who write, it writes the same as a store that reads all from the disk', async () => {
  await holdsAsync(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), fc.nat(), async (steps, seed) => {
      const disk = new Disk(new Seeded(seed), { opened: () => undefined, written: () => undefined })
      const remembers = await open(disk.mount())
      for (const { changes, fault } of steps) {
        if (fault) disk.failNextWrite(fault)
        const before = await copyOf(disk.inner)
        if ((await commitAll(remembers, changes)) === 'failed' || fault) continue
        // A store that is opened on a copy has nothing in memory.
        const reads = await open(before)
        await commitAll(reads, changes)
        await settled(disk.inner)
        await settled(before)
        expect(await recordsIn(disk.inner)).toEqual(await recordsIn(before))
        await reads.close()
      }
      await remembers.close()
    }),
    60,
  )
})

test('[S1] a second edit of a profile reads nothing from the disk', async () => {
  const database = await newDatabase('memory')
  const read: string[] = []
  const store = await open(
    new Proxy(database, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (name === 'getMany') {
          return (wanted: string[], ...rest: unknown[]) => {
            read.push(...wanted)
            return (value as (...args: unknown[]) => unknown).call(target, wanted, ...rest)
          }
        }
        return typeof value === 'function' ? value.bind(target) : value
      },
    }),
  )
  await store.commit(profileChange('ada', { 1: 'Ada' }))
  read.length = 0
  await store.commit(profileChange('ada', { 1: 'Ada L.' }))
  expect(read).toEqual([])
  await store.commit(profileChange('ada', { 1: 'Ada', 2: 'King' }))
  expect(read).toEqual([keys.level('ada', 2)])
})

test('[V8] what a change reads of other users comes from the disk, however lately they wrote something', async () => {
  const database = await newDatabase('memory')
  const read: string[] = []
  const getMany = database.getMany.bind(database)
  database.getMany = (async (wanted: string[], ...rest: []) => {
    read.push(...wanted)
    return getMany(wanted, ...rest)
  }) as typeof database.getMany
  const store = await open(database)
  await store.commit(profileChange('ada', { 0: 'Ada' }))
  await store.commit(profileChange('bo', { 0: 'Bo' }))
  read.length = 0
  await store.commit(rosterChange('bo', { ada: { isSubscribed: true } }))
  expect(read).toContain(keys.user('ada'))
  expect(read).not.toContain(keys.user('bo'))
})

test('[D4] a read that ends after its batch was given up does not replace what was written since', async () => {
  const database = await newDatabase('memory')
  let isHeld = false
  const held: (() => void)[] = []
  const getMany = database.getMany.bind(database)
  database.getMany = (async (wanted: string[], ...rest: []) => {
    const found = await getMany(wanted, ...rest)
    if (isHeld && wanted.includes(keys.user('ada'))) {
      isHeld = false
      await new Promise<void>(resolve => held.push(resolve))
    }
    return found
  }) as typeof database.getMany
  const store = await open(database, { ...sizes, recordsInQueue: 31 })
  isHeld = true
  // Two changes that name so many users that the group is given up while its users are still being read.
  const naming = (prefix: string): Change => {
    const names = Array.from({ length: 10 }, (_, index) => `${prefix}${index}`)
    return rosterChange(prefix, Object.fromEntries(names.map(name => [name, { isContact: true }])))
  }
  const changes = [userChange('zoe', {}), profileChange('ada', { 1: 'Ada' }), naming('bo'), naming('cy')]
  await Promise.all(changes.map(change => store.commit(change)))
  expect(held).toHaveLength(1)
  const { levels } = await store.user('ada')
  held[0]?.()
  await new Promise(resolve => setImmediate(resolve))
  await store.commit(userChange('ada', { restricted: true }))
  expect(await store.user('ada')).toMatchObject({ levels, restricted: true })
  await store.close()
})

/** Commits small changes as one group. A large one reserves a position, which depends on what else is being written. */
async function commitAll(store: Store, changes: readonly Change[]): Promise<'written' | 'failed'> {
  const isLarge = (change: Change): boolean => !(change.type === 'documents' && change.profile)
  const commit = async (some: readonly Change[]): Promise<PromiseSettledResult<unknown>[]> =>
    Promise.allSettled(some.map(change => store.commit(change)))
  const outcomes = changes.some(isLarge)
    ? await changes.reduce(async (before, one) => [...(await before), ...(await commit([one]))], commit([]))
    : await commit(changes)
  return outcomes.every(({ status }) => status === 'fulfilled') ? 'written' : 'failed'
}

async function copyOf(database: LevelDatabase): Promise<LevelDatabase> {
  const copy = await newDatabase('memory')
  await copy.batch((await database.iterator().all()).map(([key, value]) => ({ type: 'put' as const, key, value })))
  return copy
}

/** Resolves when the large changes are applied, which happens after they are answered. */
async function settled(database: LevelDatabase): Promise<void> {
  for (let turns = 0; (await database.getMany([keys.staged]))[0]; turns++) {
    if (turns > 2000) throw new Error('a large change is not applied')
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** The records, except those that each opening writes or removes. */
async function recordsIn(database: LevelDatabase): Promise<Map<string, string>> {
  const entries = await database.iterator().all()
  const records = entries.map(([key, value]) => [key, Buffer.from(value).toString('hex')] as const)
  return new Map(records.filter(([key]) => key !== keys.runs && !key.startsWith('staged')))
}
