import { ContactSynchronizer, type Kith, type KithError } from '@kith/client'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { backend } from '../support/backend.ts'
import { setLimits } from '../support/set-limits.ts'
import { withDatabase } from '../support/storage.ts'

test('[D5] a refused change stays and is reported, and delays neither earlier nor later changes', async () => {
  const { open } = await backend({ labelBytes: 10 })
  const indexedDB = new IDBFactory()
  const alice = await open('alice', { indexedDB, connect: false })
  await alice.enableAutoSyncContacts(false)
  const errors: KithError[] = []
  alice.on('error', error => errors.push(error))
  const [bob, carol] = [alice.getProfile('bob'), alice.getProfile('carol')]
  bob.setProfileAccessLevels([1])
  await bob.save()
  bob.setLabel('longer than ten bytes')
  await bob.save()
  await alice.ownProfile.set('name', 'Ada')
  carol.setLabel('Carol')
  carol.block(true)
  await carol.save()

  alice.connect()
  await expect(alice.whenSynced()).rejects.toMatchObject({ code: 'label-too-long' })
  await alice.whenSynced()
  expect(errors.map(error => error.code)).toEqual(['label-too-long'])
  expect(alice.unsent).toBe(1)
  expect(bob.label).toBe('longer than ten bytes')

  const other = await open('alice', { indexedDB: new IDBFactory() })
  await other.whenSynced()
  const there = [other.getProfile('bob'), other.getProfile('carol')]
  expect(there.map(({ label, accessLevels, isBlocked }) => [label, accessLevels, isBlocked])).toEqual([
    [undefined, [1], false],
    ['Carol', [], true],
  ])
  expect(other.ownProfile.get('name')).toBe('Ada')

  // Now that the device knows this server's limits, such a change is refused before it is made.
  carol.setLabel('longer than ten bytes')
  await expect(carol.save()).rejects.toMatchObject({ code: 'label-too-long' })

  // A new value of the same key replaces the refused one.
  bob.setLabel('Bob')
  await bob.save()
  await alice.whenSynced()
  await other.whenSynced()
  expect([alice.unsent, there[0]?.label]).toEqual([0, 'Bob'])
})

test('[D5] a refused change survives a reload, and is sent once more', async () => {
  const { open } = await backend({ labelBytes: 10 })
  const indexedDB = new IDBFactory()
  const first = await open('alice', { indexedDB, connect: false })
  const bob = first.getProfile('bob')
  bob.setLabel('longer than ten bytes')
  await bob.save()
  first.connect()
  await expect(first.whenSynced()).rejects.toMatchObject({ code: 'label-too-long' })
  await first.close()

  const again = await open('alice', { indexedDB, connect: false })
  expect(again.getProfile('bob').label).toBe('longer than ten bytes')
  const reported = new Promise<KithError>(resolve => again.on('error', resolve))
  again.connect()
  expect((await reported).code).toBe('label-too-long')
  await again.ownProfile.set('name', 'Ada')
  await expect(again.whenSynced()).rejects.toMatchObject({ code: 'label-too-long' })
  await again.whenSynced()
  expect(again.unsent).toBe(1)
})

test('[D5] refused changes of keys that a later edit does not touch stay, also after a reload', async () => {
  const { open } = await backend({ rosterBytes: 300 })
  const indexedDB = new IDBFactory()
  const first = await open('alice', { indexedDB, connect: false })
  await first.enableAutoSyncContacts(false)
  const syncer = new ContactSynchronizer(first)
  syncer.setProfileAccessLevels([1])
  const people = Array.from({ length: 20 }, (_, index) => `person-${index}`)
  await syncer.sync(people)
  first.connect()
  await expect(first.whenSynced()).rejects.toMatchObject({ code: 'roster-too-large' })
  await first.whenSynced()
  const [given, taken] = [first.getProfile('person-18'), first.getProfile('person-19')]
  expect([given.accessLevels, taken.accessLevels, first.unsent]).toEqual([[1], [1], 1])
  taken.setProfileAccessLevels([])
  await taken.save()
  await first.whenSynced()
  expect([given.accessLevels, taken.accessLevels, first.unsent]).toEqual([[1], [], 1])
  await first.close()
  const again = await open('alice', { indexedDB })
  await expect(again.whenSynced()).rejects.toMatchObject({ code: 'roster-too-large' })
  await again.whenSynced()
  const levels = ['person-18', 'person-19'].map(id => again.getProfile(id).accessLevels)
  expect([levels, again.unsent]).toEqual([[[1], []], 1])
})

test('[D5] a refused field stays on its device, and those set beside it arrive', async () => {
  const { open, device } = await backend({ profileBytes: 100 })
  const alice = await open('alice', { indexedDB: new IDBFactory() })
  const syncer = new ContactSynchronizer(alice)
  syncer.setProfileAccessLevels([1])
  await syncer.sync(['bob'])
  await alice.ownProfile.set('name', 'Ada', { level: 1 })
  await alice.whenSynced()
  const bob = await device('bob')
  const seen = bob.getProfile('alice')
  await seen.loaded
  expect(seen.get('name')).toBe('Ada')
  const second = await open('alice', { indexedDB: new IDBFactory(), connect: false })
  await second.ownProfile.set('photo', new Uint8Array(200), { level: 1 })
  await second.ownProfile.set('mood', 'well')
  second.connect()
  await expect(second.whenSynced()).rejects.toMatchObject({ code: 'profile-too-large' })
  await second.whenSynced()
  await bob.whenSynced()
  expect(seen.fields).toEqual({ name: 'Ada', mood: 'well' })
  expect(second.ownProfile.get('photo', { level: 1 })).toHaveLength(200)

  // A refused value takes no room from values that are set beside it.
  await second.ownProfile.set('place', 'Paris', { level: 1 })
  await second.whenSynced()
  await bob.whenSynced()
  expect(seen.get('place')).toBe('Paris')
})

test('[D5] the removals of a refused synchronisation are made nevertheless', async () => {
  const { open, device } = await backend({ rosterBytes: 2000 })
  const alice = await open('alice', { indexedDB: new IDBFactory() })
  const syncer = new ContactSynchronizer(alice)
  syncer.setProfileAccessLevels([1])
  await syncer.sync(['bob', 'carol'])
  await alice.whenSynced()
  const phone = { indexedDB: new IDBFactory(), databaseName: 'phone' }
  const before = await open('alice', phone)
  await before.whenSynced()
  before.disconnect()
  // This device receives the server's limit only when it has synced. Until then it assumes the default.
  await forgetLimits(phone.indexedDB, before)
  const second = await open('alice', { ...phone, connect: false })
  const other = new ContactSynchronizer(second)
  other.setProfileAccessLevels([2])
  await other.sync(['bob', ...Array.from({ length: 200 }, (_, index) => `somebody ${index}`)])
  second.connect()
  await expect(second.whenSynced()).rejects.toMatchObject({ code: 'roster-too-large' })
  const third = await device('alice')
  await third.whenSynced()
  // As much of the rest as there is room for is there, too.
  expect(third.getProfile('bob').accessLevels).toEqual([2])
  expect(third.getProfile('carol').accessLevels).toEqual([1])
  expect(second.getProfile('bob').accessLevels).toEqual([2])
})

test('[D5] when changes are made again, removals go first', async () => {
  const { open, device } = await backend({ labelBytes: 10 })
  const alice = await device('alice')
  const grant = alice.getProfile('bob')
  grant.setProfileAccessLevels([1])
  await grant.save()
  await alice.ownProfile.set('place', 'Paris', { level: 1 })
  await alice.whenSynced()
  const bob = await device('bob')
  const seen = bob.getProfile('alice')
  await seen.loaded
  expect(seen.get('place')).toBe('Paris')
  const moods: unknown[] = []
  bob.on('profile', profile => moods.push(profile.get('mood')))

  // This device does not know the server's limit, and must keep the order of its changes.
  const second = await open('alice', { indexedDB: new IDBFactory(), connect: false })
  await second.enableAutoSyncContacts(false)
  const carol = second.getProfile('carol')
  carol.setLabel('longer than ten bytes')
  await carol.save()
  await second.ownProfile.set('mood', 'a secret', { level: 1 })
  const blocked = second.getProfile('bob')
  blocked.block(true)
  await blocked.save()
  second.connect()
  await expect(second.whenSynced()).rejects.toMatchObject({ code: 'label-too-long' })
  await second.whenSynced()
  await bob.whenSynced()
  expect(moods).not.toContain('a secret')
  expect(seen.fields).toEqual({})
})

test('[D5][R6] a field of another device that is set again after a refusal is missing for no user meanwhile', async () => {
  const { open, device } = await backend({ profileBytes: 100 })
  const alice = await device('alice')
  await alice.ownProfile.set('name', 'Ada')
  await alice.whenSynced()
  const bob = await device('bob')
  const seen = bob.getProfile('alice')
  await seen.loaded
  const names: unknown[] = []
  bob.on('profile', profile => names.push(profile.get('name')))
  const onOtherDevice: unknown[] = []
  alice.on('profile', () => onOtherDevice.push(alice.ownProfile.get('name')))

  const phone = { indexedDB: new IDBFactory(), databaseName: 'phone' }
  const before = await open('alice', phone)
  await before.whenSynced()
  await forgetLimits(phone.indexedDB, before)
  const second = await open('alice', { ...phone, connect: false })
  await second.ownProfile.set('name', 'Augusta')
  await second.ownProfile.set('photo', new Uint8Array(200), { level: 1 })
  second.connect()
  await expect(second.whenSynced()).rejects.toMatchObject({ code: 'profile-too-large' })
  await second.whenSynced()
  await bob.whenSynced()
  expect(names).toEqual(['Augusta'])
  await expect.poll(() => onOtherDevice.at(-1)).toBe('Augusta')
  expect(onOtherDevice).not.toContain(undefined)
})

async function forgetLimits(indexedDB: IDBFactory, kith: Kith): Promise<void> {
  await kith.close()
  await withDatabase(indexedDB, 'phone', async ({ meta }) => meta.delete('limits'))
}

test('[F3][D5] a new user registers although an entry of the first roster is refused', async () => {
  const { open, admin } = await backend({ labelBytes: 10 })
  const alice = await open('alice', { indexedDB: new IDBFactory(), connect: false })
  const bob = alice.getProfile('bob')
  bob.setLabel('longer than ten bytes')
  await bob.save()
  alice.connect()
  await expect(alice.whenSynced()).rejects.toMatchObject({ code: 'label-too-long' })
  await alice.whenSynced()
  expect((await admin('GET', '/v1/users/alice')).status).toBe(200)
})

test('[F3][D6] a new user registers although the first roster has a value that exceeds the server’s frames', async () => {
  const { open, admin } = await backend({ rosterBytes: 150 })
  const alice = await open('alice', { indexedDB: new IDBFactory(), connect: false })
  const bob = alice.getProfile('bob')
  bob.setLabel('x'.repeat(250))
  await bob.save()
  alice.connect()
  await expect(alice.whenSynced()).rejects.toMatchObject({ code: 'roster-too-large' })
  await alice.whenSynced()
  expect((await admin('GET', '/v1/users/alice')).status).toBe(200)
})

test.each([
  ['unset', undefined],
  ['set again', 'well'],
])(
  '[D5][R5] a field whose new value was refused, and which is then %s, keeps no older value on the server',
  async (_what, value) => {
    const { open, device } = await backend({ profileBytes: 2_000 })
    // Each device has its own keys. To replace another device's value, a device removes that key and sets its own.
    const other = await device('alice')
    await other.ownProfile.set('mood', 'sad')
    await other.whenSynced()
    const alice = await open('alice', { indexedDB: new IDBFactory() })
    await alice.whenSynced()
    alice.disconnect()
    await setLimits(alice, { profileBytes: 10_000 })
    await alice.ownProfile.set('mood', 'x'.repeat(5_000))
    alice.connect()
    await expect(alice.whenSynced()).rejects.toMatchObject({ code: 'profile-too-large' })
    await alice.whenSynced()
    await other.whenSynced()
    expect(other.ownProfile.get('mood')).toBe('sad')
    if (value === undefined) await alice.ownProfile.unset('mood')
    else await alice.ownProfile.set('mood', value)
    await alice.whenSynced()
    await other.whenSynced()
    const bob = await device('bob')
    expect(alice.unsent).toBe(0)
    for (const fields of [alice.ownProfile.fields, other.ownProfile.fields]) {
      expect(fields.get(0)).toEqual(value === undefined ? undefined : { mood: value })
    }
    await bob.getProfile('alice').subscribe(true).save()
    await bob.whenSynced()
    await expect.poll(() => bob.getProfile('alice').get('mood')).toBe(value)
  },
)
