import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openLevelDatabase, openLevelStore, openMemoryStore, type Store } from '@kith/server'
import type { Limits, RosterSettings } from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import { describe, expect, test } from 'vitest'
import type { Commit } from '../../packages/server/src/relations/store.ts'
import { Cursors } from '../../packages/server/src/relay/cursors.ts'
import {
  type DatabaseKind,
  dayMs,
  factsWith,
  faulty,
  limitsWith,
  newDatabase,
  profileChange,
  relationOf,
  rosterChange,
  type StillClock,
  stillClock,
  storeOver,
  temporaryFolder,
  userChange,
} from '../support/store-world.ts'

interface World {
  store: Store
  clock: StillClock
}

async function open(kind: DatabaseKind, limits: Partial<Limits> = {}): Promise<World> {
  const clock = stillClock()
  const options = { limits: limitsWith(limits), clock }
  const store =
    kind === 'memory' ? await openMemoryStore(options) : await openLevelStore(await temporaryFolder(), options)
  return { store, clock }
}

/** Follows everybody named. */
function following(user: string, ...owners: string[]): ReturnType<typeof rosterChange> {
  return rosterChange(user, Object.fromEntries(owners.map(owner => [owner, { isSubscribed: true }])))
}

describe.each<DatabaseKind>(['level', 'memory'])('a store on %s', kind => {
  test('a store that is new has nothing, and says so of whatever is asked', async () => {
    const { store } = await open(kind)
    expect(store.position).toBe(0)
    expect(store.run.length).toBe(8)
    expect(await store.user('nobody')).toMatchObject({ registeredAt: 0, audience: 'everyone', levels: {} })
    expect(await store.users([])).toEqual([])
    expect(await store.views('nobody', [])).toEqual([])
    expect(await store.views('nobody', ['alice'])).toMatchObject([{ relation: { shown: [], changedAt: 0 } }])
    expect(await store.document('nobody', 'roster')).toEqual([])
    expect(await store.relations('nobody')).toEqual([])
    expect(await store.levels([{ owner: 'nobody', level: 0 }])).toEqual([undefined])
    expect(await store.levels([])).toEqual([])
    expect(await store.levelsWithFields('nobody')).toEqual([])
    expect(await store.tokensRevokedAt('nobody')).toBe(0)
    expect(await store.hasAsked('nobody', 'alice')).toBe(false)
    expect(await store.changedSince(0, 10)).toEqual([])
    expect(await store.oldestCursor()).toBe(0)
    await store.close()
  })

  test('[D2] commits have one order, that of the calls, and watchers are told of it before any caller', async () => {
    const { store } = await open(kind)
    const story: string[] = []
    const batches: number[] = []
    store.watch({
      committed: commits => {
        batches.push(commits.length)
        for (const { position } of commits) story.push(`told ${position}`)
      },
    })
    const users = Array.from({ length: 600 }, (_, index) => `user ${index}`)
    const commits = await Promise.all(
      users.map(async user => {
        const commit = await store.commit(userChange(user))
        story.push(`answered ${commit.position}`)
        return commit
      }),
    )
    expect(commits.map(({ position }) => position)).toEqual(users.map((_, index) => index + 1))
    expect(commits.map(({ subjects }) => subjects[0])).toEqual(users)
    const told = story.filter(line => line.startsWith('told'))
    expect(told).toEqual(users.map((_, index) => `told ${index + 1}`))
    for (const { position } of commits) {
      expect(story.indexOf(`told ${position}`)).toBeLessThan(story.indexOf(`answered ${position}`))
    }
    // What arrived while one batch was written is the next: far fewer syncs than commits.
    expect(batches[0]).toBe(1)
    expect(batches.length).toBeLessThan(10)
    expect(store.position).toBe(600)
    await store.close()
  })

  test('[D2] whenever a change comes, right after the answer to another or some steps later, it is written', async () => {
    const { store } = await open(kind)
    for (let steps = 0; steps < 12; steps++) {
      await store.commit(userChange('alice'))
      for (let step = 0; step < steps; step++) await undefined
      await store.commit(userChange('bob'))
      const later = async (left: number): Promise<Commit> =>
        left === 0 ? store.commit(userChange('carol')) : later(left - 1)
      await later(steps)
    }
    expect(store.position).toBe(36)
    await store.close()
  })

  test('reads see every commit from the moment it is told', async () => {
    const { store } = await open(kind)
    const seen: Promise<boolean>[] = []
    store.watch({
      committed: commits => {
        for (const { subjects, position } of commits) {
          expect(store.position).toBeGreaterThanOrEqual(position)
          seen.push(store.user(subjects[0] as string).then(({ registeredAt }) => registeredAt === position))
        }
      },
    })
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.commit(userChange(`user ${index}`))))
    expect(await Promise.all(seen)).toEqual(Array.from({ length: 20 }, () => true))
    await store.close()
  })

  test('a watcher that has gone is told nothing', async () => {
    const { store } = await open(kind)
    const told: Commit[] = []
    const stop = store.watch({ committed: commits => told.push(...commits) })
    await store.commit(userChange('alice'))
    stop()
    await store.commit(userChange('bob'))
    expect(told.map(({ position }) => position)).toEqual([1])
    await store.close()
  })

  test('a closed store has settled what it took, takes no more, and can be closed again', async () => {
    const { store } = await open(kind)
    const commits = Promise.all(['a', 'b', 'c'].map(user => store.commit(userChange(user))))
    const closed = store.close()
    expect((await commits).length).toBe(3)
    await expect(store.commit(userChange('d'))).rejects.toThrow()
    await closed
    await store.close()
  })

  describe('documents and levels', () => {
    test('a document is its updates in order, and a snapshot takes their place', async () => {
      const { store } = await open(kind)
      const write = (byte: number, snapshot?: Uint8Array): Promise<Commit> => {
        const roster = { update: Uint8Array.of(byte), snapshot, facts: new Map(), settings: settings() }
        return store.commit({ type: 'documents', user: 'alice', registers: false, roster })
      }
      for (let byte = 0; byte < 20; byte++) await write(byte)
      expect((await store.document('alice', 'roster')).map(([byte]) => byte)).toEqual(
        Array.from({ length: 20 }, (_, i) => i),
      )
      expect(await store.document('alice', 'profile')).toEqual([])
      await Promise.all([write(20), write(21, Uint8Array.of(99)), write(22)])
      expect((await store.document('alice', 'roster')).map(([byte]) => byte)).toEqual([99, 22])
      await store.close()
    })

    test('a level keeps its fields and the position of its last change; an emptied one is still a change', async () => {
      const { store } = await open(kind)
      await store.commit(profileChange('alice', { 0: 'Ada', 200: 'Lovelace' }))
      await store.commit(profileChange('alice', { 0: undefined }))
      expect(await store.levelsWithFields('alice')).toEqual([200])
      const levels = await store.levels([0, 200, 3].map(level => ({ owner: 'alice', level })))
      expect(levels).toEqual([
        { position: 2, fields: encodeFields({}) },
        { position: 1, fields: encodeFields({ name: 'Lovelace' }) },
        undefined,
      ])
      expect((await store.user('alice')).levels).toEqual({ 0: 2, 200: 1 })
      await store.close()
    })

    test('[F1] changedSince names whose profile changed after a position, unless they may be too many', async () => {
      const { store } = await open(kind)
      await store.commit(profileChange('alice', { 0: 'Ada' }))
      await store.commit(profileChange('bob', { 0: 'Bob' }))
      await store.commit(profileChange('bob', { 0: 'Robert' }))
      expect(await store.changedSince(0, 10)).toEqual(['alice', 'bob'])
      expect(await store.changedSince(1, 10)).toEqual(['bob'])
      expect(await store.changedSince(3, 10)).toEqual([])
      expect(await store.changedSince(0, 2)).toBeUndefined()
      await store.close()
    })

    test('users whose ids begin alike, or look like keys, are kept apart', async () => {
      const { store } = await open(kind)
      const ids = ['a', 'aa', 'a/b', 'a\u{10FFFF}', 'a b', 'é', 'roster', 'u', '__proto__']
      for (const id of ids) {
        await store.commit(profileChange(id, { 1: id }))
        await store.commit(following(id, ...ids.filter(other => other !== id && other !== 'a')))
      }
      for (const id of ids) {
        expect((await store.relations(id)).map(({ owner }) => owner).sort()).toEqual(
          ids.filter(other => other !== id).sort(),
        )
        expect(await store.document(id, 'profile')).toHaveLength(1)
        expect((await store.levels([{ owner: id, level: 1 }]))[0]?.fields).toEqual(encodeFields({ name: id }))
      }
      await store.commit({ type: 'erase', user: 'a' })
      expect(await store.document('a', 'profile')).toEqual([])
      expect(await store.document('aa', 'profile')).toHaveLength(1)
      expect(await store.levelsWithFields('a/b')).toEqual([1])
      await store.close()
    })
  })

  describe('relations', () => {
    test('[D4] what one roster says of another user stands on both sides', async () => {
      const { store } = await open(kind)
      const facts = { isContact: true, levels: [0, 3, 255], isSubscribed: true, isDeclined: false, isBlocked: true }
      const stored = factsWith(facts)
      await store.commit(rosterChange('alice', { bob: facts }))
      expect((await relationOf(store, 'alice', 'bob')).mine).toEqual(stored)
      expect((await relationOf(store, 'bob', 'alice')).theirs).toEqual(stored)
      expect((await relationOf(store, 'bob', 'alice')).mine).toEqual(factsWith())
      await store.commit(rosterChange('alice', { bob: {} }))
      expect((await relationOf(store, 'bob', 'alice')).theirs).toEqual(factsWith())
      await store.close()
    })

    test('[V3] what a follower is shown follows grants, blocks, the audience and restrictions, with the position', async () => {
      const { store } = await open(kind)
      await store.commit(following('bob', 'alice'))
      await store.commit(userChange('alice'))
      const shown = async (): Promise<[readonly number[], number]> => {
        const { shown: levels, changedAt } = await relationOf(store, 'bob', 'alice')
        return [levels, changedAt]
      }
      expect(await shown()).toEqual([[0], 2])
      await store.commit(rosterChange('alice', { bob: { levels: [2, 7] } }))
      expect(await shown()).toEqual([[0, 2, 7], 3])
      await store.commit(rosterChange('alice', { carol: { isBlocked: true } }))
      expect(await shown()).toEqual([[0, 2, 7], 3])
      await store.commit(rosterChange('alice', { bob: {} }, { audience: 'nobody' }))
      expect(await shown()).toEqual([[], 5])
      await store.commit(rosterChange('alice', { bob: { isContact: true } }, { audience: 'contacts' }))
      expect(await shown()).toEqual([[0], 6])
      await store.commit(userChange('bob', { restricted: true }))
      expect(await shown()).toEqual([[], 7])
      const { pairs } = await store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: true })
      expect(pairs).toContainEqual({ viewer: 'bob', owner: 'alice' })
      expect(await shown()).toEqual([[0], 8])
      await store.commit(rosterChange('bob', { alice: { isSubscribed: true, isBlocked: true } }))
      expect(await shown()).toEqual([[], 9])
      expect((await store.user('bob')).relationsChangedAt).toBe(9)
      await store.close()
    })

    test('pairs are symmetric, wait for ids that are not registered, and can be taken back', async () => {
      const { store } = await open(kind)
      await store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: true })
      expect((await relationOf(store, 'bob', 'alice')).isPaired).toBe(true)
      expect((await store.relations('alice')).map(({ owner }) => owner)).toEqual(['bob'])
      expect((await store.user('alice')).registeredAt).toBe(0)
      await store.commit({ type: 'pair', a: 'bob', b: 'alice', isPaired: false })
      expect(await store.relations('alice')).toEqual([])
      expect(await store.relations('bob')).toEqual([])
      await store.close()
    })

    test('what no longer stands leaves a tombstone with the position of the loss', async () => {
      const { store } = await open(kind)
      await store.commit(userChange('alice'))
      await store.commit(following('bob', 'alice'))
      await store.commit(rosterChange('bob', { alice: {} }))
      expect(await store.relations('bob')).toMatchObject([{ owner: 'alice', relation: { shown: [], changedAt: 3 } }])
      await store.close()
    })
  })

  describe('registration', () => {
    test('[F3] a user registers once, with the first change that says so, and by the backend at once', async () => {
      const { store } = await open(kind)
      await store.commit({ ...rosterChange('alice', { bob: { isContact: true } }), registers: false })
      expect((await store.user('alice')).registeredAt).toBe(0)
      expect((await store.commit(rosterChange('alice', {}))).isNew).toBe(true)
      expect((await store.commit(rosterChange('alice', {}))).isNew).toBe(false)
      expect((await store.user('alice')).registeredAt).toBe(2)
      expect((await store.commit(userChange('bob', { restricted: true }))).isNew).toBe(true)
      expect((await store.commit(userChange('bob', { restricted: false }))).isNew).toBe(false)
      await store.close()
    })

    test('[F3] followers who then see something learn that a user joined; nobody else does', async () => {
      const { store } = await open(kind)
      await store.commit(following('bob', 'alice'))
      await store.commit(following('carol', 'alice'))
      await store.commit(rosterChange('dave', { alice: { isContact: true } }))
      await store.commit({ ...rosterChange('alice', { carol: { isBlocked: true } }), registers: false })
      const { position, pairs } = await store.commit(userChange('alice'))
      expect(pairs).toContainEqual({ viewer: 'bob', owner: 'alice' })
      expect((await relationOf(store, 'bob', 'alice')).joinedAt).toBe(position)
      expect((await relationOf(store, 'carol', 'alice')).joinedAt).toBe(0)
      expect((await relationOf(store, 'dave', 'alice')).joinedAt).toBe(0)
      await store.close()
    })

    test('[F3] a join that shall not be announced is not', async () => {
      const { store } = await open(kind)
      await store.commit(following('bob', 'alice'))
      await store.commit(userChange('alice', { announceJoin: false }))
      expect(await relationOf(store, 'bob', 'alice')).toMatchObject({ joinedAt: 0, shown: [0] })
      await store.close()
    })
  })

  describe('waiting follows', () => {
    test('[S3] follows beyond the limit wait, are shown nothing, and are served when others end', async () => {
      const { store } = await open(kind, { follows: 2 })
      for (const owner of ['a', 'b', 'c', 'd']) await store.commit(userChange(owner))
      await store.commit(following('bob', 'a', 'b', 'c', 'd'))
      expect(await store.user('bob')).toMatchObject({ follows: 2, waiting: 2 })
      expect(await relationOf(store, 'bob', 'c')).toMatchObject({ isWaiting: true, shown: [] })
      await store.commit(rosterChange('bob', { a: {} }))
      expect(await store.user('bob')).toMatchObject({ follows: 2, waiting: 1 })
      expect(await relationOf(store, 'bob', 'c')).toMatchObject({ isWaiting: false, shown: [0] })
      await store.commit(rosterChange('bob', { d: {} }))
      expect(await store.user('bob')).toMatchObject({ follows: 2, waiting: 0 })
      await store.close()
    })

    test('[F1] a follow that is served after waiting is a change, also while there is nothing to show', async () => {
      const { store } = await open(kind, { follows: 1 })
      await store.commit(following('bob', 'a', 'b'))
      expect(await relationOf(store, 'bob', 'b')).toMatchObject({ isWaiting: true, changedAt: 1 })
      await store.commit(rosterChange('bob', { a: {} }))
      expect(await relationOf(store, 'bob', 'b')).toMatchObject({ isWaiting: false, changedAt: 2, shown: [] })
      await store.close()
    })

    test('[S4] first-time look-ups are budgeted, the budget refills steadily, and an id asked before is free', async () => {
      const { store, clock } = await open(kind, { lookups: 2, lookupsPerDay: 2 })
      await store.commit(following('bob', 'a', 'b', 'c', 'd'))
      expect(await store.user('bob')).toMatchObject({ follows: 2, waiting: 2 })
      expect((await store.commit({ type: 'lookup', user: 'bob', owner: 'a' })).retryAfterMs).toBeUndefined()
      expect((await store.commit({ type: 'lookup', user: 'bob', owner: 'z' })).retryAfterMs).toBe(dayMs / 2)
      expect(await store.hasAsked('bob', 'z')).toBe(false)
      await store.commit(rosterChange('bob', { a: {} }))
      await store.commit(following('bob', 'a'))
      expect(await relationOf(store, 'bob', 'a')).toMatchObject({ isWaiting: false })
      clock.pass(dayMs / 2 - 1)
      await store.commit({ type: 'promote', user: 'bob' })
      expect(await store.user('bob')).toMatchObject({ follows: 2, waiting: 2 })
      clock.pass(1)
      await store.commit({ type: 'promote', user: 'bob' })
      expect(await store.user('bob')).toMatchObject({ follows: 3, waiting: 1 })
      expect(await store.hasAsked('bob', 'c')).toBe(true)
      // Years away bring no more than a full budget.
      clock.pass(1000 * dayMs)
      await store.commit(following('bob', 'e', 'f'))
      expect(await store.user('bob')).toMatchObject({ follows: 5, waiting: 1 })
      await store.close()
    })

    test('[S4] who comes back when told to is served, whatever the fractions', async () => {
      for (const lookupsPerDay of [1, 3, 7, 11, 13, 1999, 2000, 86_399, 86_400_001]) {
        const { store, clock } = await open(kind, { lookups: 1, lookupsPerDay })
        for (let round = 0; round < 15; round++) {
          const { retryAfterMs } = await store.commit({ type: 'lookup', user: 'bob', owner: `${round}` })
          if (retryAfterMs === undefined) continue
          clock.pass(retryAfterMs)
          expect(await store.commit({ type: 'lookup', user: 'bob', owner: `${round}` })).not.toHaveProperty(
            'retryAfterMs',
          )
        }
        await store.close()
      }
    })

    test('[S4] a budget that is never refilled still says when to ask again', async () => {
      const { store } = await open(kind, { lookups: 0, lookupsPerDay: 0 })
      const { retryAfterMs } = await store.commit({ type: 'lookup', user: 'bob', owner: 'alice' })
      expect(retryAfterMs).toSatisfy(Number.isSafeInteger)
      await store.close()
    })

    test('[S4] waiting follows that were asked for before are served first of all, without a budget', async () => {
      const { store } = await open(kind, { follows: 1, lookups: 3, lookupsPerDay: 0 })
      await store.commit({ type: 'lookup', user: 'bob', owner: 'z' })
      await store.commit(following('bob', 'a'))
      await store.commit({ type: 'lookup', user: 'bob', owner: 'y' })
      await store.commit(following('bob', 'b', 'z'))
      await store.commit(rosterChange('bob', { a: {} }))
      expect(await relationOf(store, 'bob', 'b')).toMatchObject({ isWaiting: true })
      expect(await relationOf(store, 'bob', 'z')).toMatchObject({ isWaiting: false })
      await store.close()
    })
  })

  describe('unasked owners', () => {
    const unasked = async (store: Store, viewer: string): Promise<string[]> =>
      (await store.relations(viewer)).filter(({ relation }) => relation.isUnasked).map(({ owner }) => owner)

    test('[F4] somebody who was granted a level is shown the owner unasked, until declined, blocked or switched off', async () => {
      const { store } = await open(kind)
      await store.commit(userChange('bob'))
      await store.commit(rosterChange('alice', { bob: { levels: [2] } }))
      const shown = async (): Promise<readonly number[]> => (await relationOf(store, 'bob', 'alice')).shown
      expect(await shown()).toEqual([0, 2])
      await store.commit(rosterChange('bob', { alice: { isDeclined: true } }))
      expect(await shown()).toEqual([])
      await store.commit(rosterChange('bob', { alice: {} }))
      expect(await shown()).toEqual([0, 2])
      await store.commit(rosterChange('bob', { alice: { isBlocked: true } }))
      expect(await shown()).toEqual([])
      await store.commit(rosterChange('bob', { alice: {} }, { autoSync: false }))
      expect(await shown()).toEqual([])
      await store.commit(rosterChange('bob', {}, { autoSync: true }))
      expect(await shown()).toEqual([0, 2])
      await store.commit(rosterChange('alice', { bob: { isContact: true } }))
      expect(await shown()).toEqual([])
      expect((await store.user('bob')).unasked).toBe(0)
      await store.close()
    })

    test('[F4] of too many, those in the own contacts come first, and a place that gets free is dealt out again', async () => {
      const { store } = await open(kind, { unaskedOwners: 2 })
      for (const owner of ['a', 'b', 'c', 'd']) await store.commit(rosterChange(owner, { bob: { levels: [1] } }))
      await store.commit(userChange('bob'))
      expect(await unasked(store, 'bob')).toEqual(['a', 'b'])
      await store.commit(rosterChange('bob', { d: { isContact: true } }))
      expect(await unasked(store, 'bob')).toEqual(['a', 'd'])
      expect((await relationOf(store, 'bob', 'b')).shown).toEqual([])
      await store.commit(rosterChange('bob', { c: { isContact: true } }))
      expect(await unasked(store, 'bob')).toEqual(['c', 'd'])
      await store.commit(rosterChange('c', { bob: {} }))
      expect(await unasked(store, 'bob')).toEqual(['a', 'd'])
      await store.commit(rosterChange('bob', { a: { isSubscribed: true } }))
      expect(await unasked(store, 'bob')).toEqual(['b', 'd'])
      expect((await store.user('bob')).unasked).toBe(2)
      await store.commit(rosterChange('bob', { e: { isContact: true } }))
      await store.commit(rosterChange('e', { bob: { levels: [1] } }))
      expect(await unasked(store, 'bob')).toEqual(['d', 'e'])
      await store.close()
    })

    test('[F4] an owner who leaves the contacts gives the place to one who stands in them', async () => {
      const { store } = await open(kind, { unaskedOwners: 1 })
      for (const owner of ['a', 'b']) await store.commit(rosterChange(owner, { bob: { levels: [1] } }))
      await store.commit(rosterChange('bob', { a: { isContact: true }, b: { isContact: true } }))
      expect(await unasked(store, 'bob')).toEqual(['a'])
      await store.commit(rosterChange('bob', { a: {} }))
      expect(await unasked(store, 'bob')).toEqual(['b'])
      await store.close()
    })

    test('[F4] an owner who is erased gives the place to another', async () => {
      const { store } = await open(kind, { unaskedOwners: 1 })
      for (const owner of ['a', 'b']) await store.commit(rosterChange(owner, { bob: { levels: [1] } }))
      expect(await unasked(store, 'bob')).toEqual(['a'])
      await store.commit({ type: 'erase', user: 'a' })
      expect(await unasked(store, 'bob')).toEqual(['b'])
      await store.close()
    })

    test('[D7][F4] the next holder of an erased id is shown nothing by grants to the old one, until they are confirmed', async () => {
      const { store } = await open(kind)
      await store.commit(rosterChange('alice', { bob: { levels: [4] } }))
      await store.commit(userChange('bob'))
      await store.commit({ type: 'erase', user: 'bob' })
      expect((await relationOf(store, 'bob', 'alice')).shown).toEqual([])
      await store.commit(userChange('bob'))
      expect((await relationOf(store, 'bob', 'alice')).shown).toEqual([])
      const { unconfirmed } = (await relationOf(store, 'alice', 'bob')).mySide
      await store.commit(rosterChange('alice', { bob: { levels: [4], confirmed: [unconfirmed] } }))
      expect((await relationOf(store, 'bob', 'alice')).shown).toEqual([0, 4])
      await store.close()
    })
  })

  test('[D7] erasing takes all that is the user’s own, and leaves what others and the backend say', async () => {
    const { store, clock } = await open(kind)
    await store.commit(rosterChange('alice', { bob: { levels: [2], isSubscribed: true } }, { audience: 'contacts' }))
    await store.commit(profileChange('alice', { 0: 'Ada', 2: 'A' }))
    await store.commit(rosterChange('bob', { alice: { isSubscribed: true, levels: [5] } }))
    await store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: true })
    await store.commit(userChange('alice', { restricted: true, announceJoin: false }))
    expect((await relationOf(store, 'bob', 'alice')).shown).toEqual([0, 2])
    const { position, pairs } = await store.commit({ type: 'erase', user: 'alice' })
    expect(pairs).toContainEqual({ viewer: 'bob', owner: 'alice' })
    expect(await store.user('alice')).toMatchObject({
      registeredAt: 0,
      restricted: true,
      announceJoin: false,
      audience: 'everyone',
      levels: {},
      follows: 0,
      waiting: 0,
    })
    expect(await store.document('alice', 'roster')).toEqual([])
    expect(await store.document('alice', 'profile')).toEqual([])
    expect(await store.levels([{ owner: 'alice', level: 0 }])).toEqual([undefined])
    expect(await store.hasAsked('alice', 'bob')).toBe(false)
    expect(await store.tokensRevokedAt('alice')).toBe(clock.now())
    const relation = await relationOf(store, 'bob', 'alice')
    expect(relation).toMatchObject({ shown: [], changedAt: position, isPaired: false, theirs: factsWith() })
    expect(relation.mySide.said).toEqual(factsWith({ isSubscribed: true, levels: [5] }))
    expect(relation.mine).toEqual(factsWith())
    expect((await store.user('bob')).follows).toBe(0)
    await store.close()
  })

  test('revoking notes the time, also for an id that nobody has registered', async () => {
    const { store, clock } = await open(kind)
    await store.commit({ type: 'revoke', user: 'alice' })
    expect(await store.tokensRevokedAt('alice')).toBe(clock.now())
    expect((await store.user('alice')).registeredAt).toBe(0)
    await store.close()
  })

  test('the newest revocation counts: it puts one right that a clock years ahead dated', async () => {
    const { store, clock } = await open(kind)
    clock.pass(5 * 365 * dayMs)
    await store.commit({ type: 'revoke', user: 'alice' })
    clock.pass(-5 * 365 * dayMs)
    await store.commit({ type: 'revoke', user: 'alice' })
    expect(await store.tokensRevokedAt('alice')).toBe(clock.now())
    await store.close()
  })

  test('[F1] changes that were forgotten by a clock far ahead are not taken for none', async () => {
    const { store, clock } = await open(kind)
    await store.commit(userChange('alice'))
    const since = store.position
    await store.commit(profileChange('alice', { 0: 'new' }))
    clock.pass(dayMs)
    await store.commit(userChange('bob'))
    clock.pass(200 * dayMs)
    await store.commit(userChange('carol'))
    clock.pass(-200 * dayMs)
    expect(await store.oldestCursor()).toBeLessThanOrEqual(since)
    expect(await store.changedSince(since, 1000)).toBe(undefined)
    await store.close()
  })

  test('[F1] a cursor is served for 90 days after the next change, and no longer', async () => {
    const { store, clock } = await open(kind)
    await store.commit(profileChange('alice', { 0: 'on day 0' }))
    clock.pass(10 * dayMs)
    await store.commit(profileChange('alice', { 0: 'on day 10' }))
    await store.commit(profileChange('bob', { 0: 'on day 10' }))
    clock.pass(79 * dayMs)
    expect(await store.oldestCursor()).toBe(0)
    clock.pass(12 * dayMs)
    expect(await store.oldestCursor()).toBe(1)
    await store.commit(profileChange('carol', { 0: 'on day 101' }))
    expect(await store.changedSince(await store.oldestCursor(), 10)).toEqual(['alice', 'bob', 'carol'])
    clock.pass(200 * dayMs)
    expect(await store.oldestCursor()).toBe(3)
    const from = (position: number): Uint8Array => new Cursors({ ...store, position }).seal()
    expect(new Cursors(store).positionOf(from(3), 3)).toBe(3)
    expect(new Cursors(store).positionOf(from(2), 3)).toBe(undefined)
    await store.close()
  })
})

describe.each<DatabaseKind>(['level', 'memory'])('when the disk of a store on %s refuses', kind => {
  test('[D2] the call rejects, nothing of the change is there, nobody is told, and the store goes on', async () => {
    const { database, failNextBatches } = faulty(await newDatabase(kind))
    const store = storeOver(database, stillClock())
    const told: number[] = []
    const writing: string[] = []
    store.watch({
      writing: async () => void writing.push('writing'),
      committed: commits => told.push(...commits.map(({ position }) => position)),
      failed: () => writing.push('failed'),
    })
    await store.commit(userChange('alice'))
    const before = await database.iterator().all()
    failNextBatches(1)
    await expect(store.commit(following('bob', 'alice'))).rejects.toThrow('the disk is full')
    expect(await database.iterator().all()).toEqual(before)
    expect(store.position).toBe(1)
    expect(writing).toEqual(['writing', 'writing', 'failed'])
    const { position } = await store.commit(following('bob', 'alice'))
    expect(position).toBe(2)
    expect(told).toEqual([1, 2])
    expect(await relationOf(store, 'bob', 'alice')).toMatchObject({ shown: [0], changedAt: 2 })
  })

  test('[D2] of a group that fails, each change is tried alone, and only what fails again is rejected', async () => {
    const { database, failNextBatches } = faulty(await newDatabase(kind))
    const store = storeOver(database, stillClock())
    const first = store.commit(userChange('first'))
    const group = ['a', 'b', 'c'].map(user => store.commit(userChange(user)))
    await first
    // The group's batch, then the first of its changes alone.
    failNextBatches(2)
    const results = await Promise.allSettled(group)
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect((await store.users(['a', 'b', 'c'])).map(({ registeredAt }) => registeredAt)).toEqual([0, 2, 3])
    expect(store.position).toBe(3)
  })
})

describe('a data folder', () => {
  test('[D2] opened again, it holds all that was answered, and is the same store', async () => {
    const folder = await temporaryFolder()
    const clock = stillClock()
    const options = { limits: limitsWith(), clock }
    const first = await openLevelStore(folder, options)
    await first.commit(profileChange('alice', { 0: 'Ada', 3: 'A' }))
    await first.commit(following('bob', 'alice'))
    await first.commit({ type: 'revoke', user: 'bob' })
    const before = await everything(first)
    await first.close()
    const second = await openLevelStore(folder, options)
    expect(await everything(second)).toEqual(before)
    expect(second.reachOf(first.run)).toBe(3)
    expect(second.run).not.toEqual(first.run)
    expect((await second.commit(userChange('carol'))).position).toBe(4)
    clock.pass(100 * dayMs)
    expect(await second.oldestCursor()).toBe(0)
    await second.close()
    const other = await openLevelStore(await temporaryFolder(), options)
    expect(other.reachOf(first.run)).toBe(undefined)
    await other.close()
  })

  test('[F1] a restored backup takes no cursor of the history that was lost, however far it has come since', async () => {
    const folder = await temporaryFolder()
    const backup = join(await temporaryFolder(), 'backup')
    const options = { limits: limitsWith(), clock: stillClock() }
    const first = await openLevelStore(folder, options)
    await first.commit(userChange('alice'))
    const early = new Cursors(first).seal()
    await first.close()
    await cp(folder, backup, { recursive: true })
    const lost = await openLevelStore(folder, options)
    await lost.commit(userChange('bob'))
    await lost.commit(userChange('carol'))
    const late = new Cursors(lost).seal()
    await lost.close()
    const restored = await openLevelStore(backup, options)
    for (const user of ['dave', 'erin', 'frank']) await restored.commit(userChange(user))
    const cursors = new Cursors(restored)
    expect(cursors.positionOf(early, 0)).toBe(1)
    expect(cursors.positionOf(late, 0)).toBe(undefined)
    expect(cursors.positionOf(cursors.seal(), 0)).toBe(4)
    const beyond = new Cursors({ ...restored, position: 5 }).seal()
    await restored.close()
    const next = await openLevelStore(backup, options)
    // As of a run that went on after the copy was taken.
    await next.commit(userChange('grace'))
    expect(new Cursors(next).positionOf(beyond, 0)).toBe(undefined)
    await next.close()
  })

  test('a folder that is in use, of another format, or no folder is refused with what to do', async () => {
    const folder = await temporaryFolder()
    const options = { limits: limitsWith(), clock: stillClock() }
    const store = await openLevelStore(folder, options)
    await expect(openLevelStore(folder, options)).rejects.toThrow(/in use by another process: stop that server first/)
    await store.close()
    const database = await openLevelDatabase(folder)
    await database.put('meta\u0000format', new TextEncoder().encode('kith-7'))
    await database.close()
    await expect(openLevelStore(folder, options)).rejects.toThrow(/format "kith-7".*--data/)
    await expect(openLevelDatabase(await temporaryFolder(), true)).rejects.toThrow(
      /holds no data of Kith: check --data/,
    )
    await expect(openLevelDatabase(join(folder, 'missing'), true)).rejects.toThrow(
      /holds no data of Kith: check --data/,
    )
    const file = join(await temporaryFolder(), 'file')
    await writeFile(file, 'no folder')
    await expect(openLevelStore(file, options)).rejects.toThrow(/can't be opened/)
    const empty = await temporaryFolder()
    await mkdir(join(empty, 'store'))
    await (await openLevelStore(empty, options)).close()
  })
})

async function everything(store: Store): Promise<Record<string, unknown>> {
  return {
    position: store.position,
    users: await store.users(['alice', 'bob']),
    relations: [await store.relations('alice'), await store.relations('bob')],
    documents: [await store.document('alice', 'profile'), await store.document('bob', 'roster')],
    levels: await store.levels([0, 3].map(level => ({ owner: 'alice', level }))),
    asked: await store.hasAsked('bob', 'alice'),
    revoked: await store.tokensRevokedAt('bob'),
    changed: await store.changedSince(0, 10),
    oldest: await store.oldestCursor(),
  }
}

function settings(): RosterSettings {
  return { audience: 'everyone', autoSync: true, hidesPresence: false, messageAudience: 'everyone' }
}
