import { ContactSynchronizer, type Kith, type Profile, type Status } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import { Dexie } from 'dexie'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { backend } from '../support/backend.ts'
import { coreOf, dexieOf } from '../support/client-internals.ts'
import { first } from '../support/devices.ts'
import { hostileServer } from '../support/hostile-server.ts'
import { nextEvent } from '../support/next-event.ts'

test('the status goes from offline over connecting and syncing to synced, and back', async () => {
  const { device } = await backend()
  const alice = await device('alice', { connect: false })
  const seen: Status[] = []
  alice.on('status', status => seen.push(status))
  expect(alice.status).toBe('offline')
  alice.connect()
  await alice.whenSynced()
  expect(seen).toEqual(['connecting', 'syncing', 'synced'])
  alice.disconnect()
  expect(alice.status).toBe('offline')
})

test('whenSynced waits while offline, and ends with the signal or the client', async () => {
  const { device } = await backend()
  const alice = await device('alice', { connect: false })
  await alice.ownProfile.set('name', 'Ada')
  const stop = new AbortController()
  const [aborted, closed] = [alice.whenSynced({ signal: stop.signal }), alice.whenSynced()]
  const synced = alice.whenSynced()
  stop.abort('enough')
  await expect(aborted).rejects.toMatchObject({ code: 'aborted', cause: 'enough' })
  await expect(alice.whenSynced({ signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' })
  expect(alice.unsent).toBe(1)
  alice.connect()
  await Promise.all([synced, closed])
  expect(alice.unsent).toBe(0)
  alice.disconnect()
  const waiting = alice.whenSynced()
  const rejected = expect(waiting).rejects.toMatchObject({ code: 'closed' })
  await alice.close()
  await rejected
  await expect(alice.whenSynced()).rejects.toMatchObject({ code: 'closed' })
})

test('whenSynced called right before close() rejects with closed', async () => {
  const { device } = await backend()
  for (const connect of [true, false]) {
    const alice = await device('alice', { connect })
    const waiting = alice.whenSynced().then(
      () => 'synced',
      ({ code }) => code,
    )
    const closing = alice.close()
    expect(await waiting).toBe('closed')
    await closing
  }
})

test('[D1] what was written offline and closed is sent after the next opening', async () => {
  const { open, device } = await backend()
  const indexedDB = new IDBFactory()
  const offline = await open('alice', { indexedDB, connect: false })
  await offline.ownProfile.set('name', 'Ada')
  const bob = offline.getProfile('bob')
  bob.setProfileAccessLevels([3])
  await bob.save()
  await offline.ownProfile.set('mood', 'well', { level: 3 })
  await offline.close()
  const alice = await open('alice', { indexedDB })
  await alice.whenSynced()
  const viewer = await device('bob')
  const seen = viewer.getProfile('alice')
  await seen.loaded
  expect(seen.fields).toEqual({ name: 'Ada', mood: 'well' })
})

test('[V7] a block or a refusal to follow withdraws the replica at once, offline too', async () => {
  const { open, device } = await backend()
  const [carol, dave] = [await device('carol'), await device('dave')]
  await carol.ownProfile.set('name', 'Carol')
  await dave.ownProfile.set('name', 'Dave')
  await Promise.all([carol.whenSynced(), dave.whenSynced()])
  const indexedDB = new IDBFactory()
  const alice = await open('alice', { indexedDB })
  const [seenCarol, seenDave] = [alice.getProfile('carol'), alice.getProfile('dave')]
  await Promise.all([seenCarol.loaded, seenDave.loaded])
  await alice.whenSynced()
  alice.disconnect()
  const withdrawn: unknown[] = []
  alice.on('withdrawn', (profile, levels) => withdrawn.push([profile.id, levels]))
  seenCarol.block(true)
  await seenCarol.save()
  seenDave.subscribe(false)
  await seenDave.save()
  expect(withdrawn).toEqual([
    ['carol', [0]],
    ['dave', [0]],
  ])
  expect([seenCarol.fields, seenDave.fields, seenCarol.hasJoined]).toEqual([{}, {}, false])
  await alice.close()
  const again = await open('alice', { indexedDB, connect: false })
  const after = again.getProfile('carol')
  await after.loaded
  expect(after.fields).toEqual({})
})

test('[V1] a profile that was sent before the server received a block is hidden, and shown when the block is lifted', async () => {
  const { alice, carol, seen } = await followerOffline()
  const happened: unknown[] = []
  alice.on('profile', ({ id, fields }) => happened.push(['profile', id, fields]))
  alice.on('withdrawn', ({ id }, levels) => happened.push(['withdrawn', id, levels]))
  seen.block(true)
  await seen.save()
  await carol.ownProfile.set('name', 'Caroline')
  await carol.whenSynced()
  const shown: unknown[] = []
  alice.contacts().subscribe(rows => shown.push(...rows.map(({ fields }) => fields['name'])))
  // Between the server's response and the block, which is sent after it.
  const handedOver = new Promise<void>(resolve => {
    const db = dexieOf(alice)
    db.replicas.hook('updating', () => void resolve())
    db.replicas.hook('creating', () => void resolve())
  })
  alice.connect()
  await handedOver
  await alice.whenSynced()
  expect(happened).toEqual([['withdrawn', 'carol', [0]]])
  expect(new Set(shown)).toEqual(new Set([undefined]))
  expect([seen.fields, seen.hasJoined]).toEqual([{}, false])
  seen.block(false)
  seen.subscribe(true)
  await seen.save()
  await alice.whenSynced()
  expect([seen.fields, seen.hasJoined]).toEqual([{ name: 'Caroline' }, true])
})

test('[D1] an update of another device that arrives while this device reads its database is applied', async () => {
  const { open, device } = await backend()
  let received = 0
  class Counting extends WebSocket {
    override emit(event: string, ...details: unknown[]): boolean {
      if (event === 'message') received++
      return super.emit(event, ...details)
    }
  }
  const [phone, laptop] = [
    await open('alice', { indexedDB: new IDBFactory(), WebSocket: Counting }),
    await device('alice'),
  ]
  await phone.whenSynced()
  const errors: unknown[] = []
  phone.on('error', error => errors.push(error))
  let goOn: () => void = () => undefined
  const gate = new Promise<void>(resolve => {
    goOn = resolve
  })
  const busy = coreOf(phone).store.work(() => Dexie.waitFor(gate))
  received = 0
  laptop.getProfile('bob').setLabel('Bob')
  await laptop.getProfile('bob').save()
  await laptop.whenSynced()
  await expect.poll(() => received, { message: 'the other device’s change' }).toBe(1)
  goOn()
  await busy
  await phone.whenSynced()
  expect([errors, phone.getProfile('bob').label]).toEqual([[], 'Bob'])
})

test('[V7] replicas of followed users are readable offline after a reload, and fetched ones are not', async () => {
  const { open, device } = await backend()
  const [carol, dave] = [await device('carol'), await device('dave')]
  await carol.ownProfile.set('name', 'Carol')
  await dave.ownProfile.set('name', 'Dave')
  await Promise.all([carol.whenSynced(), dave.whenSynced()])
  const indexedDB = new IDBFactory()
  const alice = await open('alice', { indexedDB })
  await alice.getProfile('carol').loaded
  await alice.enableAutoSyncContacts(false)
  const looked = alice.getProfile('dave')
  await looked.loaded
  expect([looked.get('name'), looked.isSubscribed]).toEqual(['Dave', false])
  await alice.whenSynced()
  const news = nextEvent(alice, 'profile')
  await dave.ownProfile.set('name', 'David')
  await news
  expect(looked.get('name')).toBe('David')
  await alice.close()
  const again = await open('alice', { indexedDB, connect: false })
  const [followed, stranger] = [again.getProfile('carol'), again.getProfile('dave')]
  await Promise.all([followed.loaded, stranger.loaded])
  expect([followed.fields, followed.hasJoined]).toEqual([{ name: 'Carol' }, true])
  expect(stranger.fields).toEqual({})
  expect((await first(again.contacts())).map(row => [row.id, row.fields])).toEqual([['carol', { name: 'Carol' }]])
})

test('[V7] a user who is unblocked before the server received the block is shown again', async () => {
  const { alice, seen } = await followerOffline()
  for (const isBlocked of [true, false]) {
    seen.block(isBlocked)
    await seen.save()
    seen.subscribe(!isBlocked)
    await seen.save()
  }
  expect(seen.fields).toEqual({})
  alice.connect()
  await alice.whenSynced()
  expect([seen.fields, seen.hasJoined]).toEqual([{ name: 'Carol' }, true])
})

test('[V7] a user who is concurrently declined on one device and followed on another counts as followed', async () => {
  const { device } = await backend()
  const [phone, laptop, carol] = [await device('alice'), await device('alice'), await device('carol')]
  await carol.ownProfile.set('name', 'Carol')
  for (const kith of [carol, phone, laptop]) await kith.whenSynced()
  laptop.disconnect()
  const syncer = new ContactSynchronizer(laptop)
  syncer.subscribe(false)
  await syncer.sync(['carol'])
  const declined = laptop.getProfile('carol')
  const followed = phone.getProfile('carol')
  followed.subscribe(true)
  await followed.save()
  await phone.whenSynced()
  laptop.connect()
  for (const kith of [laptop, phone, laptop]) await kith.whenSynced()
  for (const profile of [declined, followed]) {
    expect([profile.isSubscribed, profile.fields]).toEqual([true, { name: 'Carol' }])
  }
})

test('[F3] joined is emitted when a user who was followed before registers', async () => {
  const { device } = await backend()
  const alice = await device('alice')
  const bob = alice.getProfile('bob')
  await bob.loaded
  expect(bob.hasJoined).toBe(false)
  await alice.whenSynced()
  const joined = nextEvent(alice, 'joined')
  await device('bob')
  expect((await joined)[0]).toBe(bob)
  expect(bob.hasJoined).toBe(true)
})

test('a message is delivered to a connected device, which then follows the sender', async () => {
  const { device } = await backend()
  const [alice, bob] = [await device('alice'), await device('bob')]
  await Promise.all([alice.whenSynced(), bob.whenSynced()])
  await alice.getProfile('bob').loaded
  const arrived = nextEvent(bob, 'message')
  expect(await alice.send('bob', 'hello')).toBe('delivered')
  expect((await arrived)[0]).toMatchObject({ from: 'alice', text: 'hello' })
  await bob.whenSynced()
  expect(bob.getProfile('alice').isSubscribed).toBe(true)
})

test('a token that cannot be fetched now reports unavailable, not unauthorised', async () => {
  const { device } = await backend()
  const cause = new Error('no network here')
  const alice = await device('alice', { user: 'alice', token: () => Promise.reject(cause), connect: false })
  const failed = nextEvent(alice, 'error')
  alice.connect()
  expect((await failed)[0]).toMatchObject({ code: 'unavailable', cause, retryAfterMs: expect.any(Number) })
})

test('a token that the server refuses stops a device that has no other token', async () => {
  const { device } = await backend()
  const alice = await device('alice', { token: 'eyJhbGciOiJIUzI1NiJ9.e30.AA', connect: false })
  const failed = nextEvent(alice, 'error')
  alice.connect()
  expect((await failed)[0].code).toBe('unauthorised')
  expect(alice.status).toBe('offline')
})

test('a device whose token was revoked fetches another, and continues', async () => {
  const { device, token, admin } = await backend()
  let asked = 0
  const alice = await device('alice', {
    token: () => {
      asked++
      return token('alice')
    },
  })
  await alice.whenSynced()
  expect(asked).toBe(1)
  const offline = nextEvent(alice, 'status')
  expect((await admin('POST', '/v1/users/alice/sessions/revoke')).status).toBe(204)
  await offline
  await alice.ownProfile.set('name', 'Ada')
  await alice.whenSynced()
  expect([asked, alice.unsent]).toEqual([2, 0])
})

test('a token of another user is refused at opening, a roster of another at connecting', async () => {
  const { device, token } = await backend()
  await expect(device('alice', { token: await token('bob') })).rejects.toMatchObject({ code: 'wrong-user' })
  const alice = await device('alice', { token: () => token('bob'), connect: false })
  const failed = nextEvent(alice, 'error')
  alice.connect()
  expect((await failed)[0].code).toBe('not-your-roster')
})

test('[V7] a user who is no longer followed is fetched again when accessed', async () => {
  const { device } = await backend()
  const [alice, bob] = [await device('alice'), await device('bob')]
  await bob.ownProfile.set('name', 'Bob')
  await bob.whenSynced()
  const profile = alice.getProfile('bob')
  await profile.loaded
  await alice.whenSynced()
  profile.subscribe(false)
  await profile.save()
  await alice.whenSynced()
  expect(profile.fields).toEqual({})
  await alice.getProfile('bob').loaded
  expect([profile.fields, profile.isSubscribed, profile.hasJoined]).toEqual([{ name: 'Bob' }, false, true])
})

/** Alice's device, which follows Carol and is offline. */
async function followerOffline(): Promise<{ alice: Kith; carol: Kith; seen: Profile }> {
  const { device } = await backend()
  const [alice, carol] = [await device('alice'), await device('carol')]
  await carol.ownProfile.set('name', 'Carol')
  await carol.whenSynced()
  const seen = alice.getProfile('carol')
  await seen.loaded
  await alice.whenSynced()
  alice.disconnect()
  return { alice, carol, seen }
}

test('a device that is disconnected at any moment of its connecting stays offline, and reports nothing', async () => {
  for (let turns = 0; turns < 40; turns++) {
    const server = hostileServer(() => false)
    const clock = new TestClock()
    const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, connect: false })
    await alice.ownProfile.set('name', 'Ada')
    const seen: unknown[] = []
    alice.on('status', status => seen.push(status))
    alice.on('error', error => seen.push(error))
    alice.connect()
    for (let turn = 0; turn < turns; turn++) await new Promise(resolve => setImmediate(resolve))
    alice.disconnect()
    const before = [...seen]
    for (let turn = 0; turn < 40; turn++) await new Promise(resolve => setImmediate(resolve))
    expect([turns, seen, alice.status]).toEqual([turns, before, 'offline'])
    await alice.close()
  }
})
