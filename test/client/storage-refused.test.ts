import { ContactSynchronizer, type Kith, type KithOptions } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import type { Store } from '@kith/server'
import { Dexie } from 'dexie'
import { IDBFactory } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { isFull } from '../support/client-internals.ts'
import { done } from '../support/database-copy.ts'
import { installation } from '../support/devices.ts'
import { fullDisk } from '../support/full-disk.ts'
import { nextEvent } from '../support/next-event.ts'

test('storage that is refused at opening is database-failed, and a later attempt opens', async () => {
  const phone = installation('alice')
  await (await phone.open()).close()
  for (const [refuse, said] of [
    [throwing, 'allow this site to store data'],
    [failing, 'Access is denied'],
  ] as const) {
    const { indexedDB, allow } = refuse(phone.indexedDB)
    const open = async (options: Partial<KithOptions>): Promise<Kith> => phone.open({ indexedDB, ...options })
    await expect(open({})).rejects.toMatchObject({
      code: 'database-failed',
      message: expect.stringContaining(said),
    })
    const unnamed = { user: undefined, token: () => 'none' } as unknown as Partial<KithOptions>
    await expect(open(unnamed)).rejects.toMatchObject({ code: 'database-failed' })
    allow()
    const alice = await open({})
    await alice.ownProfile.set('name', 'Ada')
    await alice.close()
  }
})

test('database-failed has what the browser threw beneath it, as its cause', async () => {
  const phone = installation('alice')
  await (await phone.open()).close()
  const { indexedDB } = throwing(phone.indexedDB)
  const failure = await phone.open({ indexedDB }).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'database-failed', cause: expect.any(Error) })
  const { cause } = failure as { cause: { name: string; inner?: { name: string } } }
  expect([cause.name, cause.inner?.name]).toContain('SecurityError')
})

test('in a page without IndexedDB, or not allowed to use it, opening says what to do', async () => {
  const without = { indexedDB: undefined } as unknown as Partial<KithOptions>
  await expect(installation('alice').open(without)).rejects.toMatchObject({
    code: 'database-failed',
    message: expect.stringContaining('allow this site to store data'),
  })
  Object.defineProperty(globalThis, 'indexedDB', {
    configurable: true,
    get() {
      throw new DOMException('The operation is insecure', 'SecurityError')
    },
  })
  onTestFinished(() => {
    Reflect.deleteProperty(globalThis, 'indexedDB')
  })
  await expect(installation('alice').open(without)).rejects.toMatchObject({ code: 'database-failed' })
})

test('storage that never answers delays opening for a limited time, and leaves nothing open', async () => {
  const phone = installation('alice')
  await (await phone.open({ databaseName: 'mine' })).close()
  // A deletion waits for a connection that stays open, and all later openings wait for the deletion.
  const stubborn = await done(phone.indexedDB.open('mine'))
  const deletion = done(phone.indexedDB.deleteDatabase('mine'))
  const clock = new TestClock()
  const opening = phone.open({ databaseName: 'mine', clock })
  let ended: unknown
  opening.catch((error: unknown) => {
    ended = error
  })
  for (let turn = 0; turn < 200; turn++) await new Promise(resolve => setImmediate(resolve))
  expect(ended).toBe(undefined)
  clock.move(20_000)
  await expect(opening).rejects.toMatchObject({
    code: 'database-failed',
    message: expect.stringContaining('close other tabs'),
  })
  stubborn.close()
  await deletion
  await done(phone.indexedDB.deleteDatabase('mine'))
  const alice = await phone.open({ databaseName: 'mine' })
  await alice.ownProfile.set('name', 'Ada')
  expect(alice.unsent).toBe(1)
})

test('[D1][D5] on a full disk save() rejects, nothing changes, and staged edits stay staged', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  await alice.ownProfile.set('name', 'Ada')
  const bob = alice.getProfile('bob')
  await bob.loaded
  const { unsent } = alice
  const disk = fullDisk()
  bob.setLabel('Bob')
  bob.setProfileAccessLevels([2])
  const full = { code: 'database-failed', message: expect.stringContaining('make room') }
  await expect(bob.save()).rejects.toMatchObject(full)
  await expect(alice.ownProfile.set('name', 'Lovelace')).rejects.toMatchObject(full)
  await expect(new ContactSynchronizer(alice).sync(['carol'])).rejects.toMatchObject(full)
  expect([bob.label, bob.accessLevels, alice.ownProfile.get('name'), alice.unsent]).toEqual([
    undefined,
    [],
    'Ada',
    unsent,
  ])
  disk.makeRoom()
  await bob.save()
  expect([bob.label, bob.accessLevels, alice.unsent]).toEqual(['Bob', [2], unsent + 1])
})

const noRoom = new DOMException('No room', 'QuotaExceededError')
const aborted = new Dexie.AbortError('Transaction aborted', noRoom)

test.each<[string, unknown, boolean]>([
  ['the error itself', noRoom, true],
  ['what aborted a transaction', aborted, true],
  ['one of several failures', new Dexie.BulkError('2 of 3 failed', [new DOMException('', 'DataError'), noRoom]), true],
  ['beneath one of several failures', new Dexie.BulkError('1 of 3 failed', [aborted]), true],
  ['a cause', new Error('not stored', { cause: aborted }), true],
  ['nowhere in an abort', new Dexie.AbortError('Transaction aborted'), false],
  ['nowhere in several failures', new Dexie.BulkError('1 of 3 failed', [new DOMException('', 'DataError')]), false],
  ['not thrown, but a text', 'QuotaExceededError', false],
  ['not thrown, but nothing', null, false],
])('a full disk is recognised where it is %s', (_, error, isRecognised) => {
  expect(isFull(error)).toBe(isRecognised)
})

for (const hasTabs of [false, true]) {
  test(`[F1] frames of the feed that a full disk cannot store, ${hasTabs ? 'with tabs' : 'without'}, come again once there is room`, async () => {
    const { open, device } = await backend({}, hasTabs ? undefined : slowToLook)
    const carol = await device('carol')
    await carol.ownProfile.set('name', 'Carol')
    await carol.whenSynced()
    const clock = new TestClock()
    const tabs = hasTabs ? sharedByTabs() : { locks: null }
    const alice = await open('alice', { indexedDB: new IDBFactory(), clock, ...tabs })
    const seen = alice.getProfile('carol')
    await seen.loaded
    await alice.whenSynced()
    const [errors, statuses] = [codesOf(alice), statusesOf(alice)]
    const disk = fullDisk(
      ({ name, transaction }) => transaction.db.name.endsWith('alice') && (hasTabs || name === 'replicas'),
    )
    await carol.ownProfile.set('name', 'Caroline')
    await expect.poll(() => alice.status).toBe('offline')
    // It retries at increasing intervals.
    for (let second = 0; second < 90; second++) {
      clock.move(1000)
      await expect.poll(() => alice.status, { interval: 2 }).toBe('offline')
    }
    expect(errors).toEqual(['database-failed'])
    expect(statuses.filter(status => status === 'connecting').length).toBeLessThan(30)
    expect(seen.get('name')).toBe('Carol')
    disk.makeRoom()
    await alice.ownProfile.set('mood', 'well')
    await expect.poll(() => seen.get('name')).toBe('Caroline')
    await alice.whenSynced()
    expect(errors).toEqual(['database-failed'])
  })
}

test('[D1] when no new database can be created, memory is kept, and saved as soon as one can', async () => {
  const phone = installation('alice')
  const { indexedDB, allow, deny } = failing(phone.indexedDB)
  allow()
  const alice = await phone.open({ indexedDB, databaseName: 'mine' })
  await alice.ownProfile.set('name', 'Ada')
  deny()
  const told = nextEvent(alice, 'error')
  await done(phone.indexedDB.deleteDatabase('mine'))
  expect((await told)[0].code).toBe('database-failed')
  await expect(alice.ownProfile.set('mood', 'well')).rejects.toMatchObject({ code: 'database-failed' })
  expect([alice.ownProfile.fields, alice.unsent]).toEqual([new Map([[0, { name: 'Ada' }]]), 1])
  allow()
  const restored = nextEvent(alice, 'error')
  await alice.ownProfile.set('mood', 'well')
  expect((await restored)[0].code).toBe('database-lost')
  await alice.close()
  expect((await phone.open({ databaseName: 'mine' })).ownProfile.fields).toEqual(
    new Map([[0, { mood: 'well', name: 'Ada' }]]),
  )
})

/** The server sends its welcome immediately, and its content a while later. */
function slowToLook(store: Store): Store {
  const views: Store['views'] = async (...args) => {
    for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve))
    return store.views(...args)
  }
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = name === 'views' ? views : Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

interface Refusing {
  indexedDB: IDBFactory
  allow(): void
  deny(): void
}

/** Opening throws, as in a private window of some browsers. */
function throwing(inner: IDBFactory): Refusing {
  return refusing(inner, () => {
    throw new DOMException('Access is denied', 'SecurityError')
  })
}

/** Opening fails, as in a profile with a broken disk. */
function failing(inner: IDBFactory): Refusing {
  return refusing(inner, () => {
    const request = new EventTarget() as EventTarget & { error: unknown; onerror?: (event: unknown) => void }
    request.error = new DOMException('Access is denied', 'UnknownError')
    queueMicrotask(() => request.onerror?.({ target: request, preventDefault() {}, stopPropagation() {} }))
    return request
  })
}

function refusing(inner: IDBFactory, refuse: () => unknown): Refusing {
  let isDenied = true
  const indexedDB = new Proxy(inner, {
    get: (target, name) => {
      if (name === 'open' && isDenied) return refuse
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return {
    indexedDB,
    allow: () => {
      isDenied = false
    },
    deny: () => {
      isDenied = true
    },
  }
}

function codesOf(kith: Kith): string[] {
  const codes: string[] = []
  kith.on('error', error => codes.push(error.code))
  return codes
}

function statusesOf(kith: Kith): string[] {
  const statuses: string[] = []
  kith.on('status', status => statuses.push(status))
  return statuses
}
