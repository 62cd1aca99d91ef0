import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openLevelDatabase, openLevelStore, openMemoryStore, type Store } from '@kith/server'
import { type OpenStore, storeContract, TestClock } from '@kith/server/testing'
import { describe, expect, test } from 'vitest'
import { Cursors, following, profileChange, relationOf, userChange } from '../support/server-internals.ts'
import {
  type DatabaseKind,
  dayMs,
  faulty,
  limitsWith,
  newDatabase,
  storeOver,
  temporaryFolder,
} from '../support/stores.ts'

/** Opens each kind of database as a store. */
const openers: Record<DatabaseKind, OpenStore> = {
  level: async options => openLevelStore(await temporaryFolder(), options),
  memory: openMemoryStore,
}

describe.each<DatabaseKind>(['level', 'memory'])('the contract, by a store on %s', kind => {
  storeContract({ describe, test }, openers[kind])
})

describe.each<DatabaseKind>(['level', 'memory'])('when the disk of a store on %s refuses', kind => {
  test('[D2] commit rejects when the disk refuses, nothing of the change is stored, no listener is called, and the store continues', async () => {
    const { database, failNextBatches } = faulty(await newDatabase(kind))
    const store = storeOver(database, new TestClock())
    const told: number[] = []
    const writing: string[] = []
    store.onCommit({
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

  test('[D2] each change of a failed group is tried alone, and only those that fail again are rejected', async () => {
    const { database, failNextBatches } = faulty(await newDatabase(kind))
    const store = storeOver(database, new TestClock())
    const first = store.commit(userChange('first'))
    const group = ['a', 'b', 'c'].map(user => store.commit(userChange(user)))
    await first
    // The group's batch fails, and then the first of its changes alone.
    failNextBatches(2)
    const results = await Promise.allSettled(group)
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect((await store.users(['a', 'b', 'c'])).map(({ registeredAt }) => registeredAt)).toEqual([0, 2, 3])
    expect(store.position).toBe(3)
  })
})

describe('a data folder', () => {
  test('[D2] a reopened data folder has all acknowledged changes, and is the same store', async () => {
    const folder = await temporaryFolder()
    const clock = new TestClock()
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
    clock.leap(100 * dayMs)
    expect(await second.oldestCursor()).toBe(0)
    await second.close()
    const other = await openLevelStore(await temporaryFolder(), options)
    expect(other.reachOf(first.run)).toBe(undefined)
    await other.close()
  })

  test('[F1] a restored backup refuses cursors of the lost changes, however many commits follow', async () => {
    const folder = await temporaryFolder()
    const backup = join(await temporaryFolder(), 'backup')
    const options = { limits: limitsWith(), clock: new TestClock() }
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
    // As in a run that continued after the copy was taken.
    await next.commit(userChange('grace'))
    expect(new Cursors(next).positionOf(beyond, 0)).toBe(undefined)
    await next.close()
  })

  test('a folder that is in use, of another format, or not a folder is refused with advice', async () => {
    const folder = await temporaryFolder()
    const options = { limits: limitsWith(), clock: new TestClock() }
    const store = await openLevelStore(folder, options)
    await expect(openLevelStore(folder, options)).rejects.toThrow(/in use by another process: stop that server first/)
    await store.close()
    const database = await openLevelDatabase(folder)
    await database.put('meta\u0000format', new TextEncoder().encode('kith-7'))
    await database.close()
    await expect(openLevelStore(folder, options)).rejects.toThrow(/format "kith-7".*--data/)
    await expect(openLevelDatabase(await temporaryFolder(), true)).rejects.toThrow(
      /holds no data of Kith: give the right folder with --data/,
    )
    await expect(openLevelDatabase(join(folder, 'missing'), true)).rejects.toThrow(
      /holds no data of Kith: give the right folder with --data/,
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
    documents: [(await store.document('alice', 'profile')).parts, (await store.document('bob', 'roster')).parts],
    levels: await store.levels([0, 3].map(level => ({ owner: 'alice', level }))),
    asked: await store.hasAsked('bob', 'alice'),
    revoked: (await store.revocation('bob')).atMs,
    changed: await store.changedSince(0, 10),
    oldest: await store.oldestCursor(),
  }
}
