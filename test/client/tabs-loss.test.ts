import type { Kith, KithOptions } from '@kith/client'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { expect, test, vi } from 'vitest'
import { type Backend, backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { coreOf, DexieDatabase, dexieOf } from '../support/client-internals.ts'
import { done } from '../support/database-copy.ts'
import { first } from '../support/devices.ts'
import { nextEvent } from '../support/next-event.ts'

test('[D1][D2] a database lost under several tabs is recreated once, with the contents of each tab', async () => {
  const world = await backend()
  const { tab, lose, indexedDB } = browser(world)
  const tabs = [await tab(), await tab(), await tab()] as const
  const [one, two, three] = tabs
  await two.whenSynced()
  two.disconnect()
  await expect.poll(() => one.status).toBe('offline')
  await one.ownProfile.set('name', 'Ada')
  const bob = two.getProfile('bob')
  bob.setProfileAccessLevels([2])
  bob.setLabel('Bob')
  await bob.save()
  await expect.poll(() => tabs.map(kith => kith.unsent)).toEqual([3, 3, 3]) // With the follow.
  const errors = tabs.map(kith => errorsOf(kith))

  await lose(tabs)
  expect(errors).toEqual([['database-lost'], ['database-lost'], ['database-lost']])
  await Promise.all(tabs.map(kith => coreOf(kith).store.refresh()))
  const writers = new Set(tabs.map(kith => coreOf(kith).store.documents.writer))
  expect([writers.size, (await indexedDB.databases()).length]).toEqual([1, 2])
  expect(tabs.map(kith => [kith.unsent, kith.ownProfile.get('name'), kith.getProfile('bob').label])).toEqual(
    tabs.map(() => [3, 'Ada', 'Bob']),
  )
  await three.ownProfile.set('mood', 'well')
  three.connect()
  await Promise.all(tabs.map(kith => kith.whenSynced()))
  const other = await world.device('alice')
  await other.whenSynced()
  const rows = (await first(other.contacts())).map(({ id, label, levels }) => ({ id, label, levels }))
  expect(rows).toEqual([{ id: 'bob', label: 'Bob', levels: [2] }])
  expect(other.ownProfile.fields).toEqual(new Map([[0, { mood: 'well', name: 'Ada' }]]))
})

test('[D1] changes that only one tab knew when the database was lost are in the new one, before later changes', async () => {
  const { tab, lose } = browser(await backend())
  const [one, two] = [await tab({ connect: false }), await tab({ connect: false })]
  await one.ownProfile.set('name', 'Ada')
  await coreOf(two).store.refresh()
  // One tab sleeps while the other writes, and while the new database is created.
  const wake = asleep(one)
  const bob = two.getProfile('bob')
  bob.block(true)
  await bob.save()
  const known = await coreOf(two).store.db.outbox.toArray()
  const wakeTwo = asleep(two)
  await lose([one], wake)
  await one.ownProfile.set('mood', 'well')
  expect(await first(one.contacts())).toEqual([])
  wakeTwo()
  await coreOf(two).store.refresh()
  await coreOf(one).store.refresh()
  for (const kith of [one, two]) {
    expect([kith.getProfile('bob').isBlocked, kith.unsent]).toEqual([true, known.length + 1])
    expect(kith.ownProfile.fields).toEqual(new Map([[0, { mood: 'well', name: 'Ada' }]]))
  }
  const rows = await coreOf(one).store.db.outbox.toArray()
  expect(rows.slice(0, -1)).toEqual(known)
  expect((await first(one.contacts())).map(row => [row.id, row.isBlocked])).toEqual([['bob', true]])
})

test('[D1] the contents of an open tab are added to a database that another tab has created meanwhile', async () => {
  const world = await backend()
  const { tab, lose } = browser(world)
  const one = await tab()
  await one.whenSynced()
  one.disconnect()
  await one.ownProfile.set('name', 'Ada')
  const wake = asleep(one)
  await lose([])
  const two = await tab({ connect: false })
  expect([two.ownProfile.get('name'), two.unsent]).toEqual([undefined, 0])
  await two.ownProfile.set('mood', 'well')
  const told = nextEvent(one, 'error')
  wake()
  expect((await told)[0].code).toBe('database-lost')
  await coreOf(two).store.refresh()
  for (const kith of [one, two]) {
    expect([kith.ownProfile.fields, kith.unsent]).toEqual([new Map([[0, { mood: 'well', name: 'Ada' }]]), 2])
  }
  two.connect()
  await Promise.all([one.whenSynced(), two.whenSynced()])
  const other = await world.device('alice')
  await other.whenSynced()
  expect(other.ownProfile.fields).toEqual(new Map([[0, { mood: 'well', name: 'Ada' }]]))
})

test('[D2] whenSynced of a tab without the socket does not resolve because the database was lost', async () => {
  const { tab, lose } = browser(await backend())
  const [one, two] = [await tab({ connect: false }), await tab({ connect: false })]
  await two.ownProfile.set('name', 'Ada')
  let isSynced = false
  const synced = two.whenSynced().then(() => {
    isSynced = true
  })
  for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
  await lose([one, two])
  for (const kith of [one, two]) await coreOf(kith).store.refresh()
  expect([isSynced, two.unsent]).toEqual([false, 1])
  one.connect()
  await synced
  expect(two.unsent).toBe(0)
})

test('[F1] a tab that takes over connects if the former leader was connected, also when the database was lost in between', async () => {
  const { tab, lose } = browser(await backend())
  const [one, two] = [await tab(), await tab({ connect: false })]
  await two.whenSynced()
  await lose([one, two])
  await two.whenSynced()
  await one.close()
  await two.ownProfile.set('name', 'Ada')
  await two.whenSynced()
  expect(two.unsent).toBe(0)
})

test('[D1] a live query that is subscribed while the database is gone shows the recovered data', async () => {
  const { tab, lose } = browser(await backend())
  const one = await tab({ connect: false })
  const bob = one.getProfile('bob')
  bob.setLabel('Bob')
  await bob.save()
  const wake = asleep(one)
  await lose([])
  const shown: string[][] = []
  const failures: unknown[] = []
  const watch = (): void => {
    one.contacts().subscribe({
      next: rows => shown.push(rows.map(row => row.label ?? '')),
      error: failure => failures.push(failure),
    })
  }
  watch()
  for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
  expect(shown).toEqual([])
  const told = nextEvent(one, 'error')
  wake()
  await told
  await expect.poll(() => shown).toEqual([['Bob']])
  // As Chromium reports for operations that it interrupts.
  vi.spyOn(coreOf(one).store.db.people, 'where').mockImplementationOnce(() => {
    throw new DOMException('Backend aborted error', 'InvalidStateError')
  })
  watch()
  await expect.poll(() => shown).toEqual([['Bob'], ['Bob']])
  expect(failures).toEqual([])
})

test('a device that one tab erases is not restored by another tab, which reports closed, closes, and leaves nothing', async () => {
  const { tab, indexedDB } = browser(await backend())
  const [one, two, three] = [await tab(), await tab(), await tab({ connect: false })]
  await three.ownProfile.set('name', 'Ada')
  await two.whenSynced()
  const told = [one, three].map(kith => nextEvent(kith, 'error'))
  await two.erase()
  expect((await Promise.all(told)).map(([{ code }]) => code)).toEqual(['closed', 'closed'])
  for (const kith of [one, three]) {
    await expect(kith.ownProfile.set('name', 'Ada')).rejects.toMatchObject({ code: 'closed' })
    await kith.close()
  }
  expect((await indexedDB.databases()).map(({ name }) => name)).toEqual(['kith-visits'])
})

test('a tab that slept while another tab erased the device, and a new one was created, closes', async () => {
  const { tab, indexedDB } = browser(await backend())
  const [one, two] = [await tab({ connect: false }), await tab({ connect: false })]
  await one.ownProfile.set('name', 'Ada')
  await coreOf(two).store.refresh()
  const wake = asleep(one)
  await two.erase({ force: true })
  const anew = await tab({ connect: false })
  wake()
  await expect(one.ownProfile.set('mood', 'well')).rejects.toMatchObject({ code: 'closed' })
  await one.close()
  await coreOf(anew).store.refresh()
  expect([anew.ownProfile.fields, anew.unsent]).toEqual([new Map(), 0])
  expect((await indexedDB.databases()).length).toBe(2)
})

test('a tab that slept while the database was lost, and then erased in another tab, does not bring it back', async () => {
  const { tab, lose, indexedDB } = browser(await backend())
  const [one, two] = [await tab({ connect: false }), await tab({ connect: false })]
  await one.ownProfile.set('name', 'Ada')
  await coreOf(two).store.refresh()
  const wake = asleep(one)
  await lose([two])
  await coreOf(two).store.refresh()
  await two.erase({ force: true })
  const told = nextEvent(one, 'error')
  wake()
  expect((await told)[0].code).toBe('closed')
  await one.close()
  expect((await indexedDB.databases()).map(({ name }) => name)).toEqual(['kith-visits'])
})

test('a device whose erasure was interrupted is empty when it is opened again, and works as any other', async () => {
  const { tab, lose } = browser(await backend())
  const one = await tab({ connect: false })
  await one.ownProfile.set('name', 'Ada')
  vi.spyOn(coreOf(one).store.db, 'delete').mockRejectedValueOnce(new DOMException('', 'AbortError'))
  await expect(one.erase({ force: true })).rejects.toThrow()
  const again = await tab({ connect: false })
  expect([again.ownProfile.fields, again.unsent]).toEqual([new Map(), 0])
  await again.ownProfile.set('mood', 'well')
  await lose([again])
  expect([again.ownProfile.fields, again.unsent]).toEqual([new Map([[0, { mood: 'well' }]]), 1])
})

/** One browser profile of Alice. Its tabs share storage and locks. */
function browser({ open }: Backend): {
  indexedDB: IDBFactory
  tab(options?: Partial<KithOptions>): Promise<Kith>
  /** Deletes the database from outside. Resolves when these tabs have reported the loss. */
  lose(tabs: readonly Kith[], wake?: () => void): Promise<void>
} {
  const indexedDB = new IDBFactory()
  const shared = { indexedDB, ...sharedByTabs(), databaseName: 'alice' }
  return {
    indexedDB,
    // Each tab has a distinct object for key ranges, which identifies the tab.
    tab: options => open('alice', { ...shared, IDBKeyRange: new Proxy(IDBKeyRange, {}), ...options }),
    async lose(tabs, wake) {
      const told = tabs.map(kith => nextEvent(kith, 'error', ({ code }) => code === 'database-lost'))
      await done(indexedDB.deleteDatabase('alice'))
      wake?.()
      await Promise.all(told)
    },
  }
}

/**
 * Closes the tab's connection, as a deletion requires. The tab neither works nor opens anything until the returned function
 * wakes it.
 */
function asleep(kith: Kith): () => void {
  let wake: () => void = () => undefined
  const db = dexieOf(kith)
  const { transaction } = db
  const sleep = new Promise<void>(resolve => {
    wake = resolve
  })
  db.transaction = (async (...details: Parameters<typeof transaction>) => {
    await sleep
    return transaction.apply(db, details)
  }) as unknown as typeof transaction
  sleepers.set(db._options.IDBKeyRange, sleep)
  return () => {
    db.transaction = transaction
    sleepers.delete(db._options.IDBKeyRange)
    wake()
  }
}

/** Sleeping tabs, by their key ranges. */
const sleepers = new Map<unknown, Promise<void>>()

const { open } = DexieDatabase.prototype
DexieDatabase.prototype.open = function () {
  const sleep = sleepers.get(this._options.IDBKeyRange)
  return (sleep ? sleep.then(() => open.call(this)) : open.call(this)) as ReturnType<typeof open>
}

function errorsOf(kith: Kith): string[] {
  const codes: string[] = []
  kith.on('error', error => codes.push(error.code))
  return codes
}
