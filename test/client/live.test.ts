import { type Contact, ContactSynchronizer, KithError } from '@kith/client'
import { expect, test, vi } from 'vitest'
import { backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { coreOf, type PersonRow } from '../support/client-internals.ts'
import { first, installation } from '../support/devices.ts'
import { emissions } from '../support/emissions.ts'
import { nextEvent } from '../support/next-event.ts'

const empty = {
  ...{ label: undefined, fields: {}, levels: [], isContact: false, isSubscribed: false },
  ...{ isBlocked: false, hasJoined: false, isWaiting: false, hasChangedHands: false },
}

test('unchanged contact rows stay the same objects, and the list is not emitted if no row changed', async () => {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['bob', 'carol'])
  const lists = emissions(kith.contacts())
  await expect.poll(() => lists.length).toBe(1)
  const { store } = coreOf(kith)
  await store.work(async ({ db, people }) => {
    await people.load(['bob'])
    people.setAccess('bob', [], false) // Written, though nothing is different.
    expect(await db.people.count()).toBe(2)
  })
  await first(kith.contacts()) // By now the other one would have been told.
  expect(lists.length).toBe(1)
  const carol = kith.getProfile('carol')
  carol.setLabel('Caroline')
  await carol.save()
  await expect.poll(() => lists.at(-1)?.map(row => row.label)).toEqual([undefined, 'Caroline'])
  expect(lists.at(-1)?.[0]).toBe(lists[0]?.[0])
  expect(lists.at(-1)?.[1]).not.toBe(lists[0]?.[1])
})

test('liveProfile emits the row of any user, and is not an access', async () => {
  const world = await backend()
  const bob = await world.device('bob')
  await bob.ownProfile.set('name', 'Bob')
  await bob.whenSynced()
  const alice = await world.device('alice')
  const rows = emissions(alice.liveProfile('bob'))
  await expect.poll(() => rows).toEqual([{ id: 'bob', ...empty }])
  await alice.whenSynced()
  expect(rows.length).toBe(1)

  await alice.enableAutoSyncContacts(false)
  const seen = alice.getProfile('bob')
  await seen.loaded
  await expect.poll(() => rows.at(-1)).toEqual({ id: 'bob', ...empty, fields: { name: 'Bob' }, hasJoined: true })
  seen.setLabel('Bobby')
  seen.setProfileAccessLevels([7, 2])
  await seen.save()
  await expect.poll(() => rows.at(-1)).toMatchObject({ label: 'Bobby', levels: [2, 7], isContact: true })
  seen.block(true)
  await seen.save()
  await expect.poll(() => rows.at(-1)).toMatchObject({ isBlocked: true, fields: {} })
})

test('a row is emitted when any of its columns changes', async () => {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['bob'])
  const rows = emissions(kith.liveProfile('bob'))
  await expect.poll(() => rows).toEqual([{ id: 'bob', ...empty, isContact: true }])
  let expected = rows[0] as Contact
  const changes: Partial<Contact>[] = [
    { label: 'Bob' },
    { fields: { name: 'Bob' } },
    { fields: { name: 'Bobby' } },
    { fields: { name: 'Bobby', age: 40 } },
    { fields: { city: 'Bobby', age: 40 } },
    { levels: [1] },
    { levels: [2] },
    { levels: [2, 3] },
    { isContact: false },
    { isSubscribed: true },
    { isBlocked: true },
    { hasJoined: true },
    { isWaiting: true },
    { hasChangedHands: true },
  ]
  for (const change of changes) {
    expected = { ...expected, ...change }
    const { people } = coreOf(kith).store.db
    await people.put({ ...((await people.get('bob')) as PersonRow), ...(change as object) })
    await expect.poll(() => rows.at(-1), { message: JSON.stringify(change) }).toEqual(expected)
  }
  expect(rows.length).toBe(1 + changes.length)
})

test('[D5] a refused change that one tab takes back disappears from all tabs', async () => {
  const world = await backend({ profileLevels: 1 })
  const storage = installation('alice')
  const options = { indexedDB: storage.indexedDB, ...sharedByTabs(), connect: false }
  const [one, two] = [await world.open('alice', options), await world.open('alice', options)]
  await one.ownProfile.set('name', 'Ada')
  await one.ownProfile.set('phone', '+44', { level: 2 })
  one.connect()
  await expect(one.whenSynced()).rejects.toMatchObject({ code: 'too-many-levels' })
  const told = emissions(two.liveOwnProfile())
  await expect.poll(() => [...(told.at(-1)?.fields.keys() ?? [])]).toEqual([0, 2])
  await coreOf(two).store.refresh() // With the refusal.
  const news = nextEvent(two, 'profile')
  await one.ownProfile.unset('phone', { level: 2 })
  await expect.poll(() => [...(told.at(-1)?.fields.keys() ?? [])]).toEqual([0])
  expect((await news)[0].fields).toEqual({ name: 'Ada' })
  expect([two.ownProfile.get('phone', { level: 2 }), two.unsent]).toEqual([undefined, 0])
})

test('liveProfile of the own user id emits the own profile', async () => {
  const kith = await installation('alice').open()
  const rows = emissions(kith.liveProfile('alice'))
  await kith.ownProfile.set('name', 'Ada')
  await kith.ownProfile.set('name', 'Ada L.', { level: 3 })
  await expect.poll(() => rows.at(-1)).toEqual({ id: 'alice', ...empty, fields: { name: 'Ada L.' }, hasJoined: true })
})

test('liveOwnProfile emits in every tab when one tab sets a field, and does not emit for other changes', async () => {
  const phone = installation('alice', { ...sharedByTabs() })
  const [one, two] = [await phone.open(), await phone.open()]
  const told = [emissions(one.liveOwnProfile()), emissions(two.liveOwnProfile())]
  await expect.poll(() => told.map(states => states.length)).toEqual([1, 1])
  const bob = one.getProfile('bob')
  bob.setLabel('Bob')
  await bob.save()
  await one.ownProfile.set('name', 'Ada')
  await two.setPublicAudience('contacts')
  const expected = [
    { fields: new Map(), publicAudience: 'everyone', messageAudience: 'everyone', hidesPresence: false },
    {
      fields: new Map([[0, { name: 'Ada' }]]),
      publicAudience: 'everyone',
      messageAudience: 'everyone',
      hidesPresence: false,
    },
    {
      fields: new Map([[0, { name: 'Ada' }]]),
      publicAudience: 'contacts',
      messageAudience: 'everyone',
      hidesPresence: false,
    },
  ]
  await expect.poll(() => told).toEqual([expected, expected])
})

test('liveOwnProfile emits fields that another device of the user set', async () => {
  const world = await backend()
  const [phone, laptop] = [await world.device('alice'), await world.device('alice')]
  const told = emissions(phone.liveOwnProfile())
  await laptop.ownProfile.set('avatar', new Uint8Array([1, 2]), { level: 4 })
  await expect.poll(() => told.at(-1)?.fields).toEqual(new Map([[4, { avatar: new Uint8Array([1, 2]) }]]))
})

test('[D5] a change that is rolled back because the disk failed is emitted as rolled back', async () => {
  const kith = await installation('alice').open()
  await kith.ownProfile.set('name', 'Ada')
  const { outbox } = coreOf(kith).store.db
  let readMeanwhile: unknown
  const add = vi.spyOn(outbox, 'add').mockImplementationOnce(() => {
    // A subscription begins while memory is ahead of the disk.
    const told = emissions(kith.liveOwnProfile())
    queueMicrotask(() => {
      readMeanwhile = told
    })
    throw new Error('The disk is full')
  })
  await expect(kith.ownProfile.set('name', 'Nobody')).rejects.toMatchObject({ code: 'database-failed' })
  expect(add).toHaveBeenCalled()
  await expect
    .poll(() => (readMeanwhile as { fields: unknown }[]).at(-1)?.fields)
    .toEqual(new Map([[0, { name: 'Ada' }]]))
})

test('liveSyncStatus emits status and unsent in every tab', async () => {
  const world = await backend()
  const storage = installation('alice')
  const options = { indexedDB: storage.indexedDB, ...sharedByTabs(), connect: false }
  const [one, two] = [await world.open('alice', options), await world.open('alice', options)]
  const [told, toldTwo] = [emissions(one.liveSyncStatus()), emissions(two.liveSyncStatus())]
  await expect.poll(() => [told, toldTwo]).toEqual(Array(2).fill([{ status: 'offline', unsent: 0 }]))
  await one.ownProfile.set('name', 'Ada')
  await expect.poll(() => toldTwo.at(-1)).toEqual({ status: 'offline', unsent: 1 })
  two.connect()
  await expect.poll(() => [told.at(-1), toldTwo.at(-1)]).toEqual(Array(2).fill({ status: 'synced', unsent: 0 }))
  for (const states of [told, toldTwo]) {
    const same = states.filter((state, index) => index > 0 && isSame(state, states[index - 1] as typeof state))
    expect(same).toEqual([])
  }
})

test('an unsubscribed listener gets nothing more, and a listener that throws does not affect others', async () => {
  const kith = await installation('alice').open()
  const escaped: unknown[] = []
  const onEscape = (error: unknown): number => escaped.push(error)
  const before = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', onEscape)
  try {
    const left: unknown[] = []
    const leftAtOnce: unknown[] = []
    kith
      .liveOwnProfile()
      .subscribe(state => leftAtOnce.push(state))
      .unsubscribe()
    kith.liveOwnProfile().subscribe(() => {
      throw new Error('of a listener')
    })
    const subscription = kith.liveOwnProfile().subscribe({ next: state => left.push(state) })
    const told = emissions(kith.liveOwnProfile())
    await expect.poll(() => [left.length, told.length]).toEqual([1, 1])
    expect(leftAtOnce).toEqual([])
    subscription.unsubscribe()
    expect(subscription.closed).toBe(true)
    const looks = vi.spyOn(kith, 'viewAs')
    const another = kith.liveViewAs('bob').subscribe()
    await expect.poll(() => looks.mock.calls.length).toBe(1)
    another.unsubscribe()
    another.unsubscribe()
    await kith.ownProfile.set('name', 'Ada')
    expect([left.length, told.length, looks.mock.calls.length]).toEqual([1, 2, 1])
    await expect.poll(() => escaped.map(String)).toEqual(['Error: of a listener', 'Error: of a listener'])
  } finally {
    process.off('unhandledRejection', onEscape)
    for (const listener of before) process.on('unhandledRejection', listener)
  }
})

test('an observable reports database-failed while the database cannot be read, and continues when it can', async () => {
  const kith = await installation('alice').open()
  const { db } = coreOf(kith).store
  const failing = vi.spyOn(db.people, 'where').mockImplementation(() => {
    throw new Error('No disk')
  })
  const [lists, errors]: [unknown[], unknown[]] = [[], []]
  const subscription = kith.contacts().subscribe({ next: list => lists.push(list), error: error => errors.push(error) })
  await expect.poll(() => errors.length).toBe(1)
  expect(errors[0]).toBeInstanceOf(KithError)
  expect(errors[0]).toMatchObject({ code: 'database-failed' })
  failing.mockRestore()
  subscription.unsubscribe()
  expect(await first(kith.contacts())).toEqual([])
})

test('a closed client rejects new observables, and completes the existing ones silently', async () => {
  const kith = await installation('alice').open()
  const errors: unknown[] = []
  kith.contacts().subscribe({ error: error => errors.push(error) })
  const told = emissions(kith.liveSyncStatus())
  await kith.close()
  for (const open of [
    () => kith.contacts(),
    () => kith.liveProfile('bob'),
    () => kith.liveOwnProfile(),
    () => kith.liveSyncStatus(),
    () => kith.liveViewAs('bob'),
  ]) {
    expect(open).toThrow(expect.objectContaining({ code: 'closed' }))
  }
  expect([errors, told]).toEqual([[], [{ status: 'offline', unsent: 0 }]])
})

function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
