import { ContactSynchronizer } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import type { Store } from '@kith/server'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { type Backend, backend } from '../support/backend.ts'
import { coreOf } from '../support/client-internals.ts'
import { first } from '../support/devices.ts'
import { nextEvent } from '../support/next-event.ts'
import { copyOf } from '../support/storage.ts'

test('[D5] a change that is too large to send is found and reported, and delays no other change', async () => {
  const { open, device } = await backend({ frameBytes: 2000 })
  const alice = await open('alice', { indexedDB: new IDBFactory() })
  await alice.whenSynced()
  await alice.ownProfile.set('name', 'Ada')
  await alice.ownProfile.set('photo', new Uint8Array(5000))
  await alice.ownProfile.set('mood', 'well')
  await expect(alice.whenSynced()).rejects.toMatchObject({ code: 'frame-too-large' })
  await alice.whenSynced()
  expect(alice.unsent).toBe(1)
  const other = await device('alice')
  await other.whenSynced()
  expect(other.ownProfile.fields).toEqual(new Map([[0, { mood: 'well', name: 'Ada' }]]))
})

test('[V7] a different server gets all of the user’s data, and its feed replaces the replicas of the former server', async () => {
  const [old, fresh] = [await backend(), await backend({}, slowToLook)]
  const device = { indexedDB: new IDBFactory(), databaseName: 'mine' }
  for (const [world, name] of [
    [old, 'Carol'],
    [fresh, 'Caroline'],
  ] as const) {
    const carol = await world.device('carol')
    await carol.ownProfile.set('name', name)
    await carol.whenSynced()
  }
  const dave = await old.device('dave')
  await dave.ownProfile.set('name', 'Dave')
  await dave.whenSynced()
  const before = await old.open('alice', device)
  await before.ownProfile.set('name', 'Ada')
  for (const id of ['carol', 'dave']) await before.getProfile(id).loaded
  await before.whenSynced()
  await before.close()

  const alice = await fresh.open('alice', { ...device, connect: false })
  const lost: string[] = []
  alice.on('withdrawn', profile => lost.push(profile.id))
  const withdrawn = nextEvent(alice, 'withdrawn')
  alice.connect()
  const [{ id }, levels] = await withdrawn
  expect([id, levels]).toEqual(['dave', [0]])
  await alice.whenSynced()
  expect((await first(alice.contacts())).map(row => [row.id, row.fields, row.hasJoined])).toEqual([
    ['carol', { name: 'Caroline' }, true],
    ['dave', {}, false],
  ])
  // Data that the new server also has was never missing.
  expect(lost).toEqual(['dave'])
  const { replicas } = coreOf(alice).store.db
  expect((await replicas.toArray()).map(({ owner }) => owner)).toEqual(['carol'])
  const viewer = await fresh.device('bob')
  const seen = viewer.getProfile('alice')
  await seen.loaded
  expect(seen.get('name')).toBe('Ada')
})

/** A server that finds out late what it may show: long after it has accepted a roster. */
function slowToLook(store: Store): Store {
  const views: Store['views'] = async (...args) => {
    for (let turn = 0; turn < 500; turn++) await new Promise(resolve => setImmediate(resolve))
    return store.views(...args)
  }
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = name === 'views' ? views : Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** A device of Bob follows Alice. Returns the names of all her fields that it shows from then on. */
async function shownToBob(server: Backend): Promise<ReadonlySet<string>> {
  const bob = await server.device('bob')
  const shown = new Set<string>()
  bob.on('profile', profile => {
    for (const name of Object.keys(profile.fields)) shown.add(name)
  })
  await bob.getProfile('alice').subscribe(true).save()
  await bob.whenSynced()
  return shown
}

test('[V6][D6] a removed field that a server still has is removed before an unsent grant shows it', async () => {
  const [older, newer] = [await backend(), await backend()]
  const phone = { indexedDB: new IDBFactory(), databaseName: 'mine' }
  const alice = await older.open('alice', phone)
  await alice.ownProfile.set('mood', 'sad', { level: 3 })
  await alice.ownProfile.set('name', 'Ada', { level: 3 })
  await alice.whenSynced()
  await alice.close()

  // This server knows of the removal. The earlier server acts as a restored backup.
  const later = await newer.open('alice', phone)
  await later.whenSynced()
  await later.ownProfile.unset('mood', { level: 3 })
  await later.whenSynced()
  await later.close()

  const shown = await shownToBob(older)
  const back = await older.open('alice', { ...phone, connect: false })
  await back.getProfile('bob').setProfileAccessLevels([3]).save()
  back.connect()
  await back.whenSynced()
  await expect.poll(() => [...shown]).toContain('name')
  expect([...shown]).toEqual(['name'])
})

test('[V6][D6] on a server that lacks what it had, an unsent end of a block waits for the unsent removal of a field', async () => {
  const [older, newer] = [await backend(), await backend()]
  const phone = { indexedDB: new IDBFactory(), databaseName: 'mine' }
  const alice = await older.open('alice', phone)
  await alice.ownProfile.set('mood', 'sad')
  await alice.ownProfile.set('name', 'Ada')
  await alice.getProfile('bob').block(true).save()
  await alice.whenSynced()
  await alice.close()
  const later = await newer.open('alice', phone)
  await later.getProfile('carol').setLabel('Carol').save()
  await later.whenSynced()
  await later.close()

  const shown = await shownToBob(older)
  const back = await older.open('alice', { ...phone, connect: false })
  await back.ownProfile.unset('mood')
  await back.getProfile('bob').block(false).save()
  back.connect()
  await back.whenSynced()
  await expect.poll(() => [...shown]).toContain('name')
  expect([...shown]).toEqual(['name'])
})

test('a copied database takes a new writer id before it sends, and the changes of both copies arrive', async () => {
  const { open, device } = await backend()
  const indexedDB = new IDBFactory()
  const options = { indexedDB, databaseName: 'mine' }
  const original = await open('alice', options)
  const syncer = new ContactSynchronizer(original)
  await syncer.sync(['bob'])
  await original.whenSynced()
  await original.close()
  const copy = await copyOf(indexedDB, 'mine')

  const one = await open('alice', options)
  const label = one.getProfile('bob')
  label.setLabel('Bob')
  await label.save()
  await one.ownProfile.set('name', 'Ada')
  await one.whenSynced()
  const two = await open('alice', { indexedDB: copy, databaseName: 'mine', connect: false })
  const grant = two.getProfile('bob')
  grant.setProfileAccessLevels([3])
  await grant.save()
  await two.ownProfile.set('mood', 'well')
  two.connect()
  await two.whenSynced()
  await one.whenSynced()
  const third = await device('alice')
  await third.whenSynced()
  for (const kith of [one, two, third]) {
    const bob = kith.getProfile('bob')
    expect([bob.label, bob.accessLevels, bob.isContact]).toEqual(['Bob', [3], true])
    expect(kith.ownProfile.fields).toEqual(new Map([[0, { mood: 'well', name: 'Ada' }]]))
  }
})

test('a token is renewed before it expires, on the same connection', async () => {
  const { device, token } = await backend()
  const clock = new TestClock()
  let asked = 0
  let renewed: () => void = () => undefined
  const again = new Promise<void>(resolve => {
    renewed = resolve
  })
  const alice = await device('alice', {
    clock,
    token: () => {
      asked++
      if (asked === 2) renewed()
      return token('alice', 40)
    },
  })
  await alice.whenSynced()
  expect(asked).toBe(1)
  const seen: string[] = []
  alice.on('status', status => seen.push(status))
  clock.move(35_000)
  await again
  await alice.ownProfile.set('name', 'Ada')
  await alice.whenSynced()
  expect(seen).not.toContain('offline')
})

test('a silent connection is closed, and a new one is opened', async () => {
  const { device } = await backend()
  const clock = new TestClock()
  const alice = await device('alice', { clock })
  await alice.whenSynced()
  const offline = nextEvent(alice, 'status', status => status === 'offline')
  clock.move(45_000)
  await offline
  await alice.ownProfile.set('name', 'Ada')
  expect(alice.unsent).toBe(1)
  clock.move(1_000)
  await alice.whenSynced()
  expect(alice.unsent).toBe(0)
})

test('[S3] follows beyond the limit wait, and the device knows which', async () => {
  const { device } = await backend({ follows: 2 })
  const alice = await device('alice')
  const told = nextEvent(alice, 'error')
  const syncer = new ContactSynchronizer(alice)
  syncer.subscribe(true)
  await syncer.sync(['u1', 'u2', 'u3'])
  const [error] = await told
  expect([error.code, error.addresses?.length]).toEqual(['too-many-follows', 1])
  await alice.whenSynced()
  const waiting = (await first(alice.contacts())).filter(row => row.isWaiting).map(row => row.id)
  expect(waiting).toEqual(error.addresses)
})
