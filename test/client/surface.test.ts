import { runInNewContext } from 'node:vm'
import { ContactSynchronizer, type Kith, KithError, openKith, type SyncProgress } from '@kith/client'
import { readContacts } from '@kith/client/import'
import { expect, test } from 'vitest'
import { backend } from '../support/backend.ts'
import { coreOf } from '../support/client-internals.ts'
import { first, installation } from '../support/devices.ts'

test('setters return their profile or synchronizer, so that calls are chained', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  expect(bob.subscribe(true).setProfileAccessLevels([1, 2, 5]).setLabel('Bob').block(false)).toBe(bob)
  await bob.save()
  expect([bob.isSubscribed, bob.accessLevels, bob.label]).toEqual([true, [1, 2, 5], 'Bob'])
  const synchronizer = new ContactSynchronizer(kith)
  expect(synchronizer.subscribe(true).setProfileAccessLevels([3])).toBe(synchronizer)
  await synchronizer.sync(['carol'])
  expect(kith.getProfile('carol').accessLevels).toEqual([3])
})

test('isAutoSyncEnabled tells whether automatic following is on, which it is at first', async () => {
  const kith = await installation('alice').open()
  expect(kith.isAutoSyncEnabled).toBe(true)
  await kith.enableAutoSyncContacts(false)
  expect(kith.isAutoSyncEnabled).toBe(false)
})

test('[V8] isOnline and lastSeen of a profile are known while the app watches livePresence, and not before or after', async () => {
  const world = await backend()
  const [alice, bob] = [await world.device('alice'), await world.device('bob')]
  await bob.getProfile('alice').setProfileAccessLevels([1]).save()
  await bob.whenSynced()
  const seen = alice.getProfile('bob')
  await seen.loaded
  expect([seen.isOnline, seen.lastSeen]).toEqual([undefined, undefined])
  const watching = alice.livePresence('bob').subscribe()
  await expect.poll(() => seen.isOnline).toBe(true)
  expect(seen.lastSeen).toBeUndefined()
  watching.unsubscribe()
  expect(seen.isOnline).toBeUndefined()
})

test('getContacts gives the rows of contacts() once, and each filter those to which it applies', async () => {
  const kith = await acquainted()
  const ids = async (filter?: Parameters<Kith['getContacts']>[0]): Promise<string[]> =>
    (await kith.getContacts(filter)).map(({ id }) => id)
  expect(await kith.getContacts()).toEqual(await first(kith.contacts()))
  expect(await ids()).toEqual(['+442079460123', 'bob', 'carol', 'dave'])
  expect(await ids({ isBlocked: true })).toEqual(['dave'])
  expect(await ids({ isBlocked: false })).toEqual(['+442079460123', 'bob', 'carol'])
  expect(await ids({ isSubscribed: true })).toEqual(['bob'])
  expect(await ids({ isContact: false })).toEqual(['dave'])
  expect(await ids({ level: 2 })).toEqual(['carol'])
  expect(await ids({ hasJoined: true })).toEqual([])
  expect(await ids({ query: '' })).toHaveLength(4)
  expect(await ids({ query: 'BOB' })).toEqual(['bob'])
  expect(await ids({ query: '7946' })).toEqual(['+442079460123'])
  expect(await ids({ query: '  zoe  car ' })).toEqual(['carol'])
  expect(await ids({ query: 'zoe bob' })).toEqual([])
  expect(await ids({ query: 'zoe', isSubscribed: true })).toEqual([])
  for (const filter of [{}, { isBlocked: false }, { query: 'o' }, { level: 2 }] as const) {
    expect(await first(kith.contacts(filter))).toEqual(await kith.getContacts(filter))
  }
})

test('getContacts searches text fields, and shows who has joined', async () => {
  const world = await backend()
  const bob = await world.device('bob')
  await bob.ownProfile.set('name', 'Róbert Nagy')
  await bob.whenSynced()
  const alice = await world.device('alice')
  await alice.getProfile('bob').subscribe(true).save()
  await alice.whenSynced()
  await expect.poll(() => alice.getProfile('bob').hasJoined).toBe(true)
  expect(await alice.getContacts({ query: 'nagy robert', hasJoined: true })).toEqual(await first(alice.contacts()))
})

test('a search finds a name by its beginning in either case, also in Greek and German', async () => {
  const kith = await installation('alice').open()
  await kith.enableAutoSyncContacts(false)
  await kith.getProfile('bob').setProfileAccessLevels([]).setLabel('Κώστας Weiß').save()
  for (const query of ['ΚΩΣ', 'κωσ', 'κώς', 'ΚΏΣΤΑΣ', 'κωστας', 'weiß', 'WEISS', 'WEIẞ', 'weis']) {
    expect([query, (await kith.getContacts({ query })).length]).toEqual([query, 1])
  }
})

test('bytes of another realm, such as an iframe, are stored as bytes, and read as a phone book', async () => {
  const kith = await installation('alice').open()
  const ofIframe = (text: string): Uint8Array => runInNewContext(`Uint8Array.from(bytes)`, { bytes: Buffer.from(text) })
  const photo = ofIframe('photo')
  expect(photo).not.toBeInstanceOf(Uint8Array)
  await kith.ownProfile.set('photo', photo)
  expect(kith.ownProfile.get('photo')).toEqual(new Uint8Array(Buffer.from('photo')))
  const card = ofIframe('BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Bob\r\nEND:VCARD\r\n')
  const buffer: ArrayBuffer = runInNewContext('bytes.buffer', { bytes: card })
  const start = (controller: ReadableStreamDefaultController<unknown>): void => {
    controller.enqueue(buffer)
    controller.close()
  }
  for (const source of [card, new ReadableStream({ start })]) {
    const names: unknown[] = []
    for await (const { name } of readContacts(source as Uint8Array)) names.push(name)
    expect(names).toEqual(['Bob'])
  }
})

test('getContacts shows each change, and reads only rows that changed since', async () => {
  const kith = await installation('alice').open()
  await kith.enableAutoSyncContacts(false)
  const [carol, dave] = [kith.getProfile('carol'), kith.getProfile('dave')]
  await Promise.all([carol.loaded, dave.loaded])
  await new ContactSynchronizer(kith).sync(['bob', 'carol', 'erin'])
  const [before] = await kith.getContacts()
  const { store } = coreOf(kith)
  const reads: string[] = []
  const use = store.use.bind(store)
  store.use = query => use(db => query(recordingReads(db, reads)))
  expect(await kith.getContacts()).toHaveLength(3)
  expect(reads).toEqual([])
  await dave.setLabel('D').setProfileAccessLevels([]).save()
  await carol.remove()
  expect((await kith.getContacts()).map(({ id, label }) => [id, label])).toEqual([
    ['bob', undefined],
    ['dave', 'D'],
    ['erin', undefined],
  ])
  expect(reads).toEqual(['bulkGet'])
  expect((await kith.getContacts())[0]).toBe(before)
})

test('getContacts asked while a row is being read reads it again when it changed meanwhile', async () => {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['bob'])
  const asked = [kith.getContacts(), kith.getContacts()]
  const saving = kith.getProfile('bob').setLabel('B').save()
  await Promise.all([...asked, saving])
  expect((await kith.getContacts())[0]?.label).toBe('B')
})

test('getContacts rejects when the database cannot be read, and reads everything anew after that', async () => {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['bob'])
  const { store } = coreOf(kith)
  const use = store.use.bind(store)
  store.use = async () => Promise.reject(new KithError('database-failed', 'No room'))
  await expect(kith.getContacts()).rejects.toMatchObject({ code: 'database-failed' })
  store.use = use
  expect(await kith.getContacts()).toHaveLength(1)
})

test('removeContacts removes many users in one change as remove does, with what was staged; a block stays [R3]', async () => {
  const kith = await acquainted()
  const staged = kith.getProfile('bob').setLabel('staged')
  const unsent = kith.unsent
  expect(await kith.removeContacts(['bob', 'carol', 'dave', 'bob'])).toBe(3)
  expect(kith.unsent).toBe(unsent + 1)
  await staged.save()
  expect((await kith.getContacts()).map(({ id, isBlocked }) => [id, isBlocked])).toEqual([
    ['+442079460123', false],
    ['dave', true],
  ])
  expect(staged.label).toBeUndefined()
  expect(await kith.removeContacts(['bob', 'carol'])).toBe(0)
  expect(kith.unsent).toBe(unsent + 1)
  // Declined, as by remove(): looking at them no longer follows them.
  await kith.getProfile('carol').loaded
  expect(kith.getProfile('carol').isSubscribed).toBe(false)
})

test('removeContacts with a wrong id removes nobody', async () => {
  const kith = await acquainted()
  await expect(kith.removeContacts(['bob', ''])).rejects.toThrow(/^ids\[1\] must be a user id/)
  await expect(kith.removeContacts(['bob', 'alice'])).rejects.toThrow(TypeError)
  await expect(kith.removeContacts('bob' as never)).rejects.toThrow('ids must be an array of strings, not "bob"')
  expect(await kith.getContacts()).toHaveLength(4)
})

test('a synchronisation reports its progress: addresses read by the 250, then the one transaction', async () => {
  const kith = await installation('alice').open()
  const progress: SyncProgress[] = []
  const synchronizer = new ContactSynchronizer(kith, { onProgress: step => progress.push(step) })
  await synchronizer.sync(['bob', ...Array.from({ length: 600 }, (_, index) => `user${index}`), 'bob', 'alice'])
  const total = 603
  expect(progress).toEqual([
    { stage: 'reading', done: 250, total },
    { stage: 'reading', done: 500, total },
    { stage: 'reading', done: total, total },
    { stage: 'writing', done: 0, total: 601 },
    { stage: 'writing', done: 601, total: 601 },
  ])
})

test('a synchronisation that is asked for duplicates names each address whose user an earlier one named', async () => {
  const kith = await installation('alice').open()
  const addresses = ['+44 20 7946 0123', '+442079460124', '00442079460123', '+442079460124', 'x', 'x']
  const phoneNumbers = true
  const duplicates = [
    { input: '00442079460123', id: '+442079460123' },
    { input: '+442079460124', id: '+442079460124' },
  ]
  const invalid = [{ input: 'x', reason: 'not-a-phone-number' }]
  const reporting = new ContactSynchronizer(kith, { phoneNumbers, reportDuplicates: true })
  const counts = { added: 2, updated: 0, unchanged: 0 }
  expect(await reporting.sync(addresses, false)).toEqual({ ...counts, added: 0, invalid, duplicates })
  expect(await reporting.syncNow()).toEqual({ ...counts, invalid, duplicates })
  expect(await new ContactSynchronizer(kith, { phoneNumbers }).sync(addresses)).toEqual({
    ...{ added: 0, updated: 0, unchanged: 2, invalid },
  })
})

test('levels have names where openKith was given them, and numbers are stored', async () => {
  const kith = (await installation('alice').open({ levels: { family: 2, work: 5 } } as object)) as unknown as Kith<
    { name: string },
    'family' | 'work'
  >
  await kith.ownProfile.set('name', 'Ada', { level: 'family' })
  expect(kith.ownProfile.fields).toEqual(new Map([[2, { name: 'Ada' }]]))
  expect(kith.ownProfile.get('name', { level: 'family' })).toBe('Ada')
  expect(kith.ownProfile.merged(['family', 'work'])).toEqual({ name: 'Ada' })
  const bob = kith.getProfile('bob').setProfileAccessLevels(['work', 2, 'work'])
  await bob.save()
  expect(bob.accessLevels).toEqual([2, 5])
  await new ContactSynchronizer(kith).setProfileAccessLevels(['work']).sync(['carol'])
  expect((await kith.getContacts({ level: 'family' })).map(({ id }) => id)).toEqual(['bob'])
  expect((await kith.getContacts({ level: 'work' })).map(({ id }) => id)).toEqual(['bob', 'carol'])
  await kith.ownProfile.unset('name', { level: 'family' })
  expect(kith.ownProfile.fields).toEqual(new Map())
  const wanted = "level must be an integer from 0 to 255 or 'family' or 'work', not \"friends\""
  await expect(kith.ownProfile.set('name', 'Ada', { level: 'friends' as never })).rejects.toThrow(new TypeError(wanted))
  expect(() => bob.setProfileAccessLevels(['constructor' as never])).toThrow(TypeError)
  await expect(openKith({ url: 'ws://x', token: '', levels: { family: 256 } })).rejects.toThrow(
    'levels.family must be an integer from 0 to 255, not 256',
  )
})

/** Alice, who knows a number, Bob (followed), Carol (labelled Zoë) and Dave (blocked). */
async function acquainted(): Promise<Kith> {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['+442079460123'])
  await kith.getProfile('bob').subscribe(true).setProfileAccessLevels([1]).save()
  await kith.enableAutoSyncContacts(false)
  await kith.getProfile('carol').setLabel('Zoë').setProfileAccessLevels([1, 2]).save()
  await kith.getProfile('dave').block(true).save()
  return kith
}

function recordingReads<T extends object>(db: T, reads: string[]): T {
  const people = (db as { people: object }).people
  return new Proxy(db, {
    get: (target, name) => {
      if (name !== 'people') return Reflect.get(target, name)
      return new Proxy(people, {
        get: (table, verb) => {
          reads.push(String(verb))
          const value = Reflect.get(table, verb)
          return typeof value === 'function' ? value.bind(table) : value
        },
      })
    },
  })
}
