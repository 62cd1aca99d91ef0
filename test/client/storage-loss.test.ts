import type { Kith } from '@kith/client'
import { Dexie } from 'dexie'
import { forceCloseDatabase, IDBFactory } from 'fake-indexeddb'
import { expect, onTestFinished, test, vi } from 'vitest'
import { backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { coreOf, dexieOf } from '../support/client-internals.ts'
import { done } from '../support/database-copy.ts'
import { first, installation } from '../support/devices.ts'
import { nextEvent } from '../support/next-event.ts'

test('[D1] a database deleted under an open client reports database-lost, and its contents are saved in a new one', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  await alice.ownProfile.set('name', 'Ada')
  const bob = alice.getProfile('bob')
  bob.setLabel('Bob')
  bob.setProfileAccessLevels([2])
  await bob.save()
  const [before, unsent] = [coreOf(alice).store.documents, alice.unsent]

  await lose(phone.indexedDB, alice)
  const { documents } = coreOf(alice).store
  expect([alice.ownProfile.get('name'), bob.label, bob.accessLevels, alice.unsent]).toEqual(['Ada', 'Bob', [2], unsent])
  // No device reuses the ids of what the lost database held beyond this.
  expect(documents.writer).not.toBe(before.writer)
  for (const name of ['roster', 'profile'] as const) {
    expect(documents[name].clientId).not.toBe(before[name].clientId)
    expect(documents[name].doc.clientID).toBe(documents[name].clientId)
  }
  await alice.ownProfile.set('mood', 'well')
  await alice.close()
  const again = await phone.open()
  expect(again.ownProfile.fields).toEqual(new Map([[0, { mood: 'well', name: 'Ada' }]]))
  expect([again.getProfile('bob').label, again.unsent]).toEqual(['Bob', unsent + 1])
  expect((await first(again.contacts())).map(({ id, label }) => [id, label])).toEqual([['bob', 'Bob']])
})

test('[D3][R4] removals, revocations and blocks that were unsent when the database was lost arrive', async () => {
  const { open, device } = await backend()
  const storage = { indexedDB: new IDBFactory() }
  const alice = await open('alice', storage)
  await grant(alice, 'bob', 2)
  await grant(alice, 'carol', 2)
  await alice.ownProfile.set('phone', '1')
  await alice.ownProfile.set('name', 'Ada')
  await alice.whenSynced()
  alice.disconnect()
  await alice.getProfile('bob').remove()
  const carol = alice.getProfile('carol')
  carol.block(true)
  await carol.save()
  await alice.ownProfile.unset('phone')
  await alice.ownProfile.set('name', 'Ada L.')

  await lose(storage.indexedDB, alice)
  alice.connect()
  await alice.whenSynced()
  const other = await device('alice')
  await other.whenSynced()
  for (const kith of [alice, other]) {
    const [gone, shut] = [kith.getProfile('bob'), kith.getProfile('carol')]
    expect([gone.isContact, gone.accessLevels, shut.isBlocked, shut.accessLevels]).toEqual([false, [], true, [2]])
    expect([kith.ownProfile.fields, kith.unsent]).toEqual([new Map([[0, { name: 'Ada L.' }]]), 0])
  }
})

test('[V6][V5] what is unsent keeps its order over both documents when the database is lost', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  await alice.ownProfile.set('phone', 'a secret')
  await alice.ownProfile.unset('phone')
  await grant(alice, 'bob', 0)
  await alice.ownProfile.set('phone', 'for Bob')
  const before = await coreOf(alice).store.db.outbox.toArray()
  await lose(phone.indexedDB, alice)
  expect(await coreOf(alice).store.db.outbox.toArray()).toEqual(before)
})

test('[D5] what the server refused is not sent from a new database, and is still shown', async () => {
  const { open, device } = await backend({ labelBytes: 10 })
  const storage = { indexedDB: new IDBFactory() }
  const alice = await open('alice', { ...storage, connect: false })
  const bob = alice.getProfile('bob')
  bob.setLabel('longer than ten bytes')
  await bob.save()
  alice.connect()
  await expect(alice.whenSynced()).rejects.toMatchObject({ code: 'label-too-long' })
  await alice.whenSynced()

  await lose(storage.indexedDB, alice)
  const { store } = coreOf(alice)
  expect(store.documents.roster.standing.has('labels', 'bob')).toBe(false)
  expect([bob.label, alice.unsent]).toEqual(['longer than ten bytes', 1])
  await alice.ownProfile.set('name', 'Ada')
  await alice.whenSynced()
  expect((await store.db.outbox.toArray()).map(row => row.refusal)).toEqual(['label-too-long'])
  const other = await device('alice')
  await other.whenSynced()
  expect([other.ownProfile.get('name'), other.getProfile('bob').label]).toEqual(['Ada', undefined])
})

test('[F1][V7] after the database is lost the feed restarts: replicas come again, and the app gets events', async () => {
  const { open, device } = await backend()
  const carol = await device('carol')
  await carol.ownProfile.set('name', 'Carol')
  await carol.whenSynced()
  const storage = { indexedDB: new IDBFactory() }
  const alice = await open('alice', storage)
  const followed = alice.getProfile('carol')
  await followed.loaded
  await alice.whenSynced()
  const shown: unknown[] = []
  const watching = alice.contacts().subscribe(rows => shown.push(rows.map(row => [row.id, row.fields])))
  await expect.poll(() => shown).toEqual([[['carol', { name: 'Carol' }]]])

  await lose(storage.indexedDB, alice)
  await alice.whenSynced()
  expect(followed.get('name')).toBe('Carol')
  await expect.poll(() => shown.at(-1)).toEqual([['carol', { name: 'Carol' }]])
  // A user whom the roster knows was never missing.
  expect(shown).not.toContainEqual([])
  const news = nextEvent(alice, 'profile')
  await carol.ownProfile.set('name', 'Caroline')
  await news
  expect(followed.get('name')).toBe('Caroline')
  watching.unsubscribe()
})

test('[D1] a database connection that is cut is opened again, without any other effect', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  await alice.ownProfile.set('name', 'Ada')
  const errors: unknown[] = []
  alice.on('error', error => errors.push(error))
  const db = dexieOf(alice)
  const { documents } = coreOf(alice).store
  const saving = alice.ownProfile.set('mood', 'well')
  forceCloseDatabase(db.backendDB() as never)
  await saving
  await alice.ownProfile.set('name', 'Ada L.')
  expect([errors, coreOf(alice).store.documents.writer]).toEqual([[], documents.writer])
  await alice.close()
  const again = await phone.open()
  expect([again.ownProfile.fields, again.unsent]).toEqual([new Map([[0, { mood: 'well', name: 'Ada L.' }]]), 3])
})

test('[D1] a change that is being written when storage is taken away is saved in a new database', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  await alice.ownProfile.set('name', 'Ada')
  const db = dexieOf(alice)
  for (let turns = 0; turns < 60; turns += 3) {
    const saving = alice.ownProfile.set('count', turns)
    for (let turn = 0; turn < turns; turn++) await new Promise(resolve => setImmediate(resolve))
    const told = nextEvent(alice, 'error')
    if (db.isOpen()) forceCloseDatabase(db.backendDB() as never)
    const deleted = done(phone.indexedDB.deleteDatabase(db.name))
    await saving
    await deleted
    expect((await told)[0].code).toBe('database-lost')
    expect([alice.ownProfile.get('count'), alice.unsent]).toEqual([turns, 2 + turns / 3])
  }
  await alice.close()
  expect((await phone.open()).ownProfile.get('count')).toBe(57)
})

test('[D1] what was saved after a loss outlives the next one, which no event announces', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  await alice.ownProfile.set('name', 'Ada')
  await lose(phone.indexedDB, alice)
  await alice.ownProfile.set('mood', 'well')
  const db = dexieOf(alice)
  const told = nextEvent(alice, 'error')
  wiped(phone.indexedDB, db.name)
  // Work that still runs delays the event that announces the loss, as in Chromium.
  db.people.count().catch(() => undefined)
  forceCloseDatabase(db.backendDB() as never)
  await alice.ownProfile.set('count', 1)
  const all = new Map([[0, { count: 1, mood: 'well', name: 'Ada' }]])
  expect([alice.ownProfile.fields, alice.unsent]).toEqual([all, 3])
  expect((await told)[0].code).toBe('database-lost')
  await alice.close()
  const again = await phone.open()
  expect([again.ownProfile.fields, again.unsent]).toEqual([all, 3])
})

test.each(['DatabaseClosedError', 'OpenFailedError', 'AbortError', 'InvalidStateError', 'UnknownError'])(
  '[D1] a change whose write ends with %s is written once more when the database is still open',
  async name => {
    const alice = await installation('alice').open()
    await alice.ownProfile.set('name', 'Ada')
    const { outbox } = coreOf(alice).store.db
    vi.spyOn(outbox, 'add').mockImplementationOnce(() => {
      throw new DOMException('Internal error', name)
    })
    await alice.ownProfile.set('mood', 'well')
    const fields = new Map([[0, { mood: 'well', name: 'Ada' }]])
    expect([alice.ownProfile.fields, alice.unsent, await outbox.count()]).toEqual([fields, 2, 2])
  },
)

test('[D1] a change whose write ends with an error of its own is not written again', async () => {
  const alice = await installation('alice').open()
  const add = vi.spyOn(coreOf(alice).store.db.outbox, 'add').mockImplementation(() => {
    throw new DOMException('Such a row is there', 'ConstraintError')
  })
  onTestFinished(() => add.mockRestore())
  await expect(alice.ownProfile.set('mood', 'well')).rejects.toMatchObject({ code: 'database-failed' })
  expect([add.mock.calls.length, alice.ownProfile.fields, alice.unsent]).toEqual([1, new Map(), 0])
})

test('[D1] changes that were begun while the database was lost are made in the order of the calls', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  const db = dexieOf(alice)
  const saving: Promise<void>[] = []
  const set = (value: number): void => void saving.push(alice.ownProfile.set('count', value))
  const told = nextEvent(alice, 'error', () => {
    set(4)
    return true
  })
  set(1)
  set(2)
  wiped(phone.indexedDB, db.name)
  forceCloseDatabase(db.backendDB() as never)
  await new Promise(resolve => setImmediate(resolve))
  set(3)
  await told
  await Promise.all(saving)
  expect(alice.ownProfile.get('count')).toBe(4)
})

test('[D1] work that is given as the app hears of the loss is done after all that waits for the new database', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  const { store } = coreOf(alice)
  const db = dexieOf(alice)
  const done: string[] = []
  // Edits would share a transaction. Each of these calls has its own.
  const begin = (name: string): Promise<void> => store.work(async () => undefined).then(() => void done.push(name))
  let last: Promise<void> | undefined
  const told = nextEvent(alice, 'error', () => {
    last = begin('as the app hears of it')
    return true
  })
  wiped(phone.indexedDB, db.name)
  forceCloseDatabase(db.backendDB() as never)
  const waiting = ['first', 'second', 'third'].map(begin)
  await told
  await Promise.all([...waiting, last])
  expect(done).toEqual(['first', 'second', 'third', 'as the app hears of it'])
})

for (const table of ['updates', 'outbox', 'people'] as const) {
  test(`[D1] storage that is wiped at the write of ${table} loses nothing: the change is saved, and unsent`, async () => {
    const phone = installation('alice', { ...sharedByTabs() })
    const alice = await phone.open()
    await alice.ownProfile.set('name', 'Ada')
    const bob = alice.getProfile('bob')
    await bob.loaded
    const { unsent } = alice
    const db = dexieOf(alice)
    const told = nextEvent(alice, 'error')
    const wipe = (): void => {
      db[table].hook('creating').unsubscribe(wipe)
      db[table].hook('updating').unsubscribe(wipe)
      const running = Dexie.currentTransaction as unknown as { idbtrans: IDBTransaction }
      queueMicrotask(() => {
        running.idbtrans.abort()
        wiped(phone.indexedDB, db.name)
        forceCloseDatabase(db.backendDB() as never)
      })
    }
    db[table].hook('creating', wipe)
    db[table].hook('updating', wipe)
    bob.setLabel('Bob')
    await bob.save()
    expect((await told)[0].code).toBe('database-lost')
    expect([bob.label, alice.unsent]).toEqual(['Bob', unsent + 1])
    await alice.close()
    const again = await phone.open()
    expect([again.getProfile('bob').label, again.ownProfile.get('name'), again.unsent]).toEqual([
      'Bob',
      'Ada',
      unsent + 1,
    ])
  })
}

test('[D1] another user’s database under the same name is left alone: wrong-user, and then closed', async () => {
  const phone = installation('alice')
  const alice = await phone.open({ databaseName: 'mine', locks: null })
  await alice.ownProfile.set('name', 'Ada')
  const ended = nextEvent(alice, 'error')
  const db = dexieOf(alice)
  const bobs = installation('bob', { indexedDB: new IDBFactory(), databaseName: 'mine' })
  const bob = await bobs.open()
  await bob.ownProfile.set('name', 'Bob')
  // Bob's database replaces the deleted one, before Alice's client looks.
  const { identity } = Object.fromEntries((await coreOf(bob).store.db.meta.toArray()).map(row => [row.key, row.value]))
  await db.meta.put({ key: 'identity', value: identity })
  await db.meta.delete('head')
  await expect(alice.ownProfile.set('mood', 'well')).rejects.toMatchObject({ code: 'wrong-user' })
  expect((await ended)[0].code).toBe('wrong-user')
  await expect(alice.ownProfile.set('mood', 'well')).rejects.toMatchObject({ code: 'closed' })
})

/** Deletes the client's database from outside, as another tab or the developer tools can. */
async function lose(indexedDB: IDBFactory, kith: Kith): Promise<void> {
  const told = nextEvent(kith, 'error')
  await done(indexedDB.deleteDatabase(coreOf(kith).store.db.name))
  const [error] = await told
  expect(error.code).toBe('database-lost')
}

/** Removes the database immediately, as when site data is cleared. Running work in it has no effect. */
function wiped(indexedDB: IDBFactory, name: string): void {
  const { _databases: databases } = indexedDB as unknown as { _databases: Map<string, unknown> }
  expect(databases.delete(name)).toBe(true)
}

async function grant(kith: Kith, to: string, level: number): Promise<void> {
  const profile = kith.getProfile(to)
  profile.setProfileAccessLevels([level])
  await profile.save()
}

test('[D7] a device that was opened again, and then lost its database, still knows the account that it synced with', async () => {
  const world = await backend()
  const storage = { indexedDB: new IDBFactory() }
  const first = await world.open('alice', storage)
  await first.ownProfile.set('name', 'Ada')
  await first.whenSynced()
  await first.close()
  const alice = await world.open('alice', { ...storage, connect: false })
  await lose(storage.indexedDB, alice)
  await world.admin('DELETE', '/v1/users/alice')
  const told = nextEvent(alice, 'error')
  alice.connect()
  expect((await told)[0]).toMatchObject({ code: 'account-erased' })
  expect((await world.admin('GET', '/v1/users/alice')).status).toBe(404)
})
