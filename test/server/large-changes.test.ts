import { setImmediate as turn } from 'node:timers/promises'
import type { Change, LevelDatabase, Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { batchOfEitherKind } from '../support/chained-batch.ts'
import { holdsAsync } from '../support/properties.ts'
import {
  Draft,
  following,
  Incarnations,
  keys,
  newUser,
  profileChange,
  ranges,
  relationOf,
  rosterChange,
  userChange,
  withNews,
} from '../support/server-internals.ts'
import { newDatabase, recordsOf, storeOver } from '../support/stores.ts'
import { wholeReads } from '../support/whole-reads.ts'

/** More than one group of commits examines, so that the change is prepared beside the queue. */
const many = 900
const contacts = (count = many): string[] => Array.from({ length: count }, (_, index) => `contact ${index}`)
const granted = (count = many): Record<string, { isContact: boolean; levels: number[] }> =>
  Object.fromEntries(contacts(count).map(id => [id, { isContact: true, levels: [1] }]))

async function newStore(): Promise<Store> {
  return storeOver(await newDatabase('memory'), new TestClock())
}

/** Counts the turns of the event loop until `end`. */
function countTurns(): { end(): number } {
  let turns = 0
  let isDone = false
  const count = (): void => {
    turns++
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  return {
    end: () => {
      isDone = true
      return turns
    },
  }
}

test('[S3] commits of others pass a large change while it is prepared', async () => {
  const store = await newStore()
  const told: string[] = []
  const large = store.commit(rosterChange('alice', granted())).then(() => told.push('large'))
  await store.commit(userChange('zoe')).then(() => told.push('small'))
  await store.commit(userChange('yves')).then(() => told.push('small'))
  await large
  expect(told).toEqual(['small', 'small', 'large'])
})

test('[S3] a large change gives other users a turn at least every 500 relations', async () => {
  const store = await newStore()
  const turns = countTurns()
  await store.commit(rosterChange('alice', granted(5_000)))
  expect(turns.end()).toBeGreaterThan((2 * 5_000) / 500)
})

test('[D4] records read for a large change and written meanwhile are read again', async () => {
  const inner = await newDatabase('memory')
  const facts = granted()
  const last = Object.keys(facts).at(-1) as string
  let isRead: () => void = () => undefined
  const othersAreRead = new Promise<void>(resolve => {
    isRead = resolve
  })
  let release: () => void = () => undefined
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  // Holds back the last record. The records before it have been read by then.
  const getMany = async (wanted: string[]): Promise<unknown> => {
    if (wanted.includes(keys.user(last))) {
      isRead()
      await released
    }
    return inner.getMany(wanted)
  }
  const database = overriding(inner, { getMany })
  const store = storeOver(database, new TestClock())
  await store.commit(userChange('contact 7'))
  const large = store.commit(rosterChange('alice', facts))
  await othersAreRead
  await store.commit(rosterChange('contact 7', { alice: { isBlocked: true } }))
  release()
  await large
  const { views } = await store.views('contact 7', ['alice'])
  expect(views[0]?.relation).toMatchObject({ mine: { isBlocked: true }, theirs: { levels: [1] }, shown: [] })
})

test('[D4] a profile edit of a user whom a large change names is kept, and does not delay the change', async () => {
  const store = await newStore()
  await store.commit(profileChange('contact 7', { 1: 'before' }))
  const large = store.commit(rosterChange('alice', granted()))
  const { position } = await store.commit(profileChange('contact 7', { 1: 'after' }))
  await large
  const record = await store.user('contact 7')
  expect(record.levels).toEqual({ '1': position })
  expect(record).toMatchObject({ unasked: 1 })
})

test('[D4] when they were last seen is noted of all who are named at once, whatever is written of them meanwhile', async () => {
  const store = await newStore()
  await Promise.all(contacts().map(user => store.commit(userChange(user))))
  await store.commit({ type: 'seen', users: contacts().map(user => ({ user, minute: 77 })) })
  const minutes = (await store.users(contacts())).map(({ lastSeenMinute }) => lastSeenMinute)
  expect(new Set(minutes)).toEqual(new Set([77]))
  const before = { ...newUser(), registeredAt: 1 }
  const newer = { ...before, levels: { '1': 9 }, lastSeenMinute: 76 }
  const seen = { ...before, lastSeenMinute: 77 }
  expect(withNews(seen, newer, 'seen')).toEqual(seen)
  expect(withNews(seen, newer, undefined)).toEqual(newer)
})

test('[D4] a profile edit of a user whose large change is being prepared is kept', async () => {
  const store = await newStore()
  await store.commit(profileChange('alice', { 1: 'before' }))
  const large = store.commit(rosterChange('alice', granted(), { audience: 'nobody' }))
  const { position } = await store.commit(profileChange('alice', { 2: 'after' }))
  await large
  const { levels } = await store.user('alice')
  expect(Object.keys(levels)).toEqual(['1', '2'])
  expect(levels['2']).toBe(position)
})

/** Prepares a change beside the queue, and holds back its next reads of a kind until `release`. */
async function heldBack(kind: 'getMany' | 'iterator' | 'keys', isHeld: (wanted: unknown) => boolean) {
  const inner = await newDatabase('memory')
  let release: () => void = () => undefined
  let isReached: () => void = () => undefined
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const reached = new Promise<void>(resolve => {
    isReached = resolve
  })
  const read = inner[kind].bind(inner) as unknown as (wanted: unknown) => { all(): Promise<unknown[]> }
  const held = (wanted: unknown) => {
    if (!isHeld(wanted)) return read(wanted)
    return wholeReads(read(wanted), async all => {
      // The read has its result from before. The derivation uses it later.
      const found = await all()
      isReached()
      await released
      return found
    })
  }
  return { store: storeOver(overriding(inner, { [kind]: held }), new TestClock()), release, reached }
}

test('[V4] a follow that begins while a large change of audience is prepared is shown nothing', async () => {
  let isHolding = false
  const { store, release, reached } = await heldBack('iterator', wanted => {
    return isHolding && (wanted as { gt: string }).gt === ranges.relations('alice').gt
  })
  await store.commit(profileChange('alice', { 0: 'Alice' }))
  await store.commit(rosterChange('alice', granted()))
  isHolding = true
  const narrowed = store.commit(rosterChange('alice', granted(), { audience: 'nobody' }))
  await reached
  isHolding = false
  // This name sorts before the contacts, so it is on the page that has already been read.
  await store.commit(following('bob', 'alice'))
  expect((await relationOf(store, 'bob', 'alice')).shown).toEqual([0])
  release()
  await narrowed
  expect((await relationOf(store, 'bob', 'alice')).shown).toEqual([])
})

test('[V5] an edit that is made while a large erasure of its user is prepared goes with the account', async () => {
  let isHolding = false
  const { store, release, reached } = await heldBack('keys', wanted => {
    return isHolding && (wanted as { gt: string }).gt.startsWith(ranges.document('alice', 'roster').gt)
  })
  await store.commit(rosterChange('alice', granted()))
  await store.commit(profileChange('alice', { 0: 'Alice' }))
  const erasure = store.commit({ type: 'erase', user: 'alice' })
  isHolding = true
  await reached
  isHolding = false
  // A change of something that the derivation does not read, such as a label.
  await store.commit(rosterChange('alice', {}))
  release()
  await erasure
  expect((await store.document('alice', 'roster')).parts).toEqual([])
})

test('[S3] relations that are already in memory are also processed in slices', async () => {
  const database = await newDatabase('memory')
  const draft = new Draft(recordsOf(database), 0, new Incarnations(new Uint8Array(32)))
  const others = contacts(5_000)
  await draft.loadPairs('alice', others)
  const turns = countTurns()
  await draft.loadPairs('alice', others)
  expect(turns.end()).toBeGreaterThanOrEqual(5_000 / 500)
})

test('[D7] a long erasure does not undo a revocation made meanwhile', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  await store.commit(rosterChange('alice', granted()))
  const erasure = store.commit({ type: 'erase', user: 'alice' })
  // The queue has found that the change is too large, and prepares it.
  await store.commit(userChange('zoe'))
  clock.leap(5_000)
  await store.commit({ type: 'revoke', user: 'alice' })
  const { atMs: revokedAt } = await store.revocation('alice')
  await erasure
  expect(revokedAt).toBe(clock.now())
  expect((await store.revocation('alice')).atMs).toBeGreaterThanOrEqual(revokedAt)
})

test('[D7] tokens that were issued while an erasure was prepared end with the account', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  await store.commit(rosterChange('alice', granted()))
  const erasure = store.commit({ type: 'erase', user: 'alice' })
  await store.commit(userChange('zoe'))
  clock.leap(5_000)
  await erasure
  expect((await store.revocation('alice')).atMs).toBe(clock.now())
})

test('[D2] a large change that was prepared while a write failed is read again, and written', async () => {
  const inner = await newDatabase('memory')
  let fail: (error: Error) => void = () => undefined
  let isNextHeld = false
  const batch = batchOfEitherKind((operations: { key: string }[], options) => {
    const isHeld = isNextHeld && operations.some(({ key }) => key === keys.user('yves'))
    if (!isHeld) return inner.batch(operations as never, options)
    isNextHeld = false
    return new Promise((_, reject) => {
      fail = reject
    })
  })
  const database = overriding(inner, { batch })
  const store = storeOver(database, new TestClock())
  const large = store.commit(rosterChange('alice', granted(3_000)))
  await store.commit(userChange('zoe'))
  isNextHeld = true
  const failing = store.commit(userChange('yves'))
  // Meanwhile the large change is prepared, and waits behind.
  for (let turns = 0; turns < 1_000; turns++) await turn()
  fail(new Error('the disk is full'))
  await expect(failing).rejects.toThrow('the disk is full')
  await large
  expect(await store.relations('alice')).toHaveLength(3_000)
})

test('[S3] after a large change whose preparation failed, other commits are not compared with what it had read', async () => {
  const inner = await newDatabase('memory')
  const last = keys.user(contacts().at(-1) as string)
  let failures = 1
  const getMany = async (wanted: string[]): Promise<unknown> => {
    if (wanted.includes(last) && failures-- > 0) throw new Error('the disk cannot be read')
    return inner.getMany(wanted)
  }
  const store = storeOver(overriding(inner, { getMany }), new TestClock())
  await store.commit(rosterChange('alice', granted()))
  expect([failures < 1, (await store.relations('alice')).length]).toEqual([true, many])
  const touched = vi.spyOn(Draft.prototype, 'touched')
  onTestFinished(() => touched.mockRestore())
  await store.commit(userChange('zoe'))
  expect(touched).not.toHaveBeenCalled()
})

test('[S3] a commit, small or large, keeps nothing of how its pairs stood before once it is derived', async () => {
  const store = await newStore()
  for (const count of [3, many]) {
    const commit = await store.commit(rosterChange('alice', granted(count)))
    expect((commit as unknown as { sights: ReadonlyMap<string, unknown> }).sights.size).toBe(0)
  }
})

/** A database with some of its methods replaced. */
function overriding(inner: LevelDatabase, methods: Readonly<Record<string, unknown>>): LevelDatabase {
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = methods[name as string] ?? Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** A database that records the largest number of keys or entries that one read of a range returned together. */
function measured(inner: LevelDatabase): { database: LevelDatabase; mostAtOnce: () => number } {
  let most = 0
  const reading =
    (name: 'keys' | 'iterator') =>
    (range: object): unknown => {
      const found = (inner[name] as (range: object) => { all(): Promise<unknown[]> }).call(inner, range)
      return wholeReads(found, async read => {
        const all = await read()
        most = Math.max(most, all.length)
        return all
      })
    }
  const database = new Proxy(inner, {
    get(target, name) {
      if (name === 'keys' || name === 'iterator') return reading(name)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { database, mostAtOnce: () => most }
}

test('[S3] the records that an erasure removes are read in slices, and all are removed', async () => {
  const inner = await newDatabase('memory')
  const { database, mostAtOnce } = measured(inner)
  const store = storeOver(database, new TestClock())
  const follows = Object.fromEntries(contacts(2_000).map(id => [id, { isSubscribed: true }]))
  await store.commit(rosterChange('alice', follows))
  expect(await store.hasAsked('alice', 'contact 1999')).toBe(true)
  await store.commit({ type: 'erase', user: 'alice' })
  expect(mostAtOnce()).toBe(250)
  await store.close()
  await inner.open()
  expect(await inner.keys({ gt: 'asked\u0000alice\u0000', lt: 'asked\u0000alice\u0001' }).all()).toEqual([])
})

test('[S3][F4] places of unrequested owners are assigned in slices', async () => {
  const store = await newStore()
  const owners = contacts(3_000)
  for (const owner of owners) await store.commit(rosterChange(owner, { alice: { levels: [1] } }))
  const turns = countTurns()
  await store.commit(rosterChange('alice', {}, { autoSync: false }))
  await store.commit(rosterChange('alice', {}))
  expect(turns.end()).toBeGreaterThan((22 * 3_000) / 500)
  const { unasked } = await store.user('alice')
  expect(unasked).toBe(2_000)
  const relations = await store.relations('alice')
  const chosen = relations.filter(({ relation }) => relation.isUnasked).map(({ owner }) => owner)
  expect(chosen).toEqual([...owners].sort().slice(0, 2_000))
}, 60_000)

test('[D4][F4] a grant revoked between two slices of a review frees its place for another owner', async () => {
  const store = await newStore()
  const owners = contacts(2_500)
  for (const owner of owners) await store.commit(rosterChange(owner, { alice: { levels: [1] } }))
  const review = store.commit(rosterChange('alice', { 'contact 9': { isContact: true } }))
  const revoked = store.commit(rosterChange('contact 1', { alice: {} }))
  await Promise.all([review, revoked])
  const relations = await store.relations('alice')
  const chosen = relations.filter(({ relation }) => relation.isUnasked).map(({ owner }) => owner)
  expect(chosen).toHaveLength(2_000)
  expect(chosen).toContain('contact 9')
  expect(chosen).not.toContain('contact 1')
}, 60_000)

test('[S3] large changes are prepared one after the other, so that only one of them is in memory', async () => {
  const inner = await newDatabase('memory')
  const readers: string[] = []
  const database = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'getMany') return value.bind(target)
      return (wanted: string[]): unknown => {
        const reader = wanted.find(key => key.startsWith('relation\u0000'))?.split('\u0000')[1]
        if (reader !== undefined && readers.at(-1) !== reader) readers.push(reader)
        return target.getMany(wanted)
      }
    },
  })
  const store = storeOver(database, new TestClock())
  await Promise.all(['alice', 'bob', 'carol'].map(user => store.commit(rosterChange(user, granted(2_000)))))
  // Each is read once: the other two wait until the one before is written.
  expect(readers).toEqual(['alice', 'bob', 'carol'])
})

test('[S3][S4] simultaneous first-time look-ups are read together, and each is counted once', async () => {
  const inner = await newDatabase('memory')
  let reads = 0
  const database = new Proxy(inner, {
    get(target, name) {
      if (name === 'getMany') reads++
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const store = storeOver(database, new TestClock())
  await store.commit(userChange('alice'))
  const owners = contacts(200)
  reads = 0
  await Promise.all([...owners, ...owners].map(owner => store.commit({ type: 'lookup', user: 'alice', owner })))
  // The first one alone, then two groups.
  expect(reads).toBeLessThanOrEqual(12)
  expect((await store.user('alice')).lookups?.left).toBe(20_000 - owners.length)
})

/** Changes that meet a large one, in any order. */
const small = (): fc.Arbitrary<Change> => {
  const contact = fc.constantFrom(...contacts(4), 'alice')
  return fc.oneof(
    contact.map(id => userChange(id)),
    contact.map(id => userChange(id, { restricted: true })),
    fc.tuple(contact, contact).map(([a, b]): Change => ({ type: 'pair', a, b: a === b ? 'zoe' : b, isPaired: true })),
    contact.map(id => rosterChange(id, { alice: { isSubscribed: true, levels: [2] } })),
    contact.map(id => rosterChange(id, { alice: { isBlocked: true } })),
    contact.map(id => profileChange(id, { 1: 'name' })),
    contact.map((user): Change => ({ type: 'erase', user })),
    contact.map((user): Change => ({ type: 'seen', users: [{ user, minute: 7 }] })),
  )
}

test('[D4] concurrent large and small changes have the same result as the changes one after the other', {
  timeout: 60_000,
}, async () => {
  await holdsAsync(
    fc.asyncProperty(fc.array(small(), { minLength: 1, maxLength: 12 }), fc.boolean(), async (changes, narrows) => {
      const beside = await newStore()
      await beside.commit(rosterChange('alice', granted(3)))
      const large = narrows
        ? rosterChange('alice', granted(), { audience: 'nobody' })
        : rosterChange('alice', granted())
      const all = [large, ...changes]
      const commits = await Promise.all(all.map(change => beside.commit(change)))
      const order = all.map((change, index) => ({ change, position: commits[index]?.position ?? 0 }))
      const after = await newStore()
      await after.commit(rosterChange('alice', granted(3)))
      for (const { change } of order.sort((a, b) => a.position - b.position)) await after.commit(change)
      expect(await stateOf(beside)).toEqual(await stateOf(after))
    }),
    15,
  )
})

/** Everything that both stores must agree on: all except the positions. */
async function stateOf(store: Store): Promise<unknown> {
  const users = ['alice', ...contacts()]
  const records = await store.users(users)
  const relations = await Promise.all(users.slice(0, 6).map(user => store.relations(user)))
  return {
    records: records.map(({ levels, registeredAt, ...rest }) => ({
      ...rest,
      levels: Object.keys(levels),
      isRegistered: registeredAt > 0,
    })),
    relations: relations.map(some =>
      some.map(({ owner, relation: { changedAt, joinedAt, ...rest } }) => ({
        owner,
        ...rest,
        hasJoined: joinedAt > 0,
        isNew: changedAt > 0,
      })),
    ),
  }
}

test('[D4][D2] commits that wait behind a large change, and those behind them, are written in their order', async () => {
  const inner = await newDatabase('memory')
  let release: () => void = () => undefined
  let isNextHeld = false
  const batch = (...args: unknown[]): unknown => {
    const write = (): unknown => (inner.batch as (...args: unknown[]) => unknown)(...args)
    if (!isNextHeld || args.length === 0) return write()
    isNextHeld = false
    return new Promise<void>(resolve => {
      release = resolve
    }).then(write)
  }
  const store = storeOver(overriding(inner, { batch }), new TestClock())
  const told: string[] = []
  const commit = (name: string, change: Change): Promise<unknown> => store.commit(change).then(() => told.push(name))
  const large = commit('large', rosterChange('alice', granted(1_200)))
  await store.commit(userChange('zoe'))
  isNextHeld = true
  const held = commit('held', userChange('yves'))
  // Meanwhile the large change is prepared, and waits behind.
  for (let turns = 0; turns < 1_000; turns++) await turn()
  const behind = ['first behind', 'second behind'].map(name => commit(name, userChange(name)))
  release()
  await Promise.all([large, held, ...behind])
  expect(told).toEqual(['held', 'large', 'first behind', 'second behind'])
  expect(await store.relations('alice')).toHaveLength(1_200)
})
