import { ContactSynchronizer, type Kith } from '@kith/client'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { type Backend, backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { coreOf } from '../support/client-internals.ts'
import { first, installation } from '../support/devices.ts'
import { nextEvent } from '../support/next-event.ts'

async function erase({ admin }: Backend, user: string): Promise<void> {
  expect((await admin('DELETE', `/v1/users/${user}`)).status).toBe(204)
}

/** Collects the ids that a device reports as having changed hands. */
function reported(kith: Kith): string[] {
  const ids: string[] = []
  kith.on('changedHands', ({ id }) => ids.push(id))
  return ids
}

async function rowOf(kith: Kith, id: string): Promise<unknown> {
  return (await first(kith.contacts())).find(row => row.id === id)
}

async function give(kith: Kith, id: string, levels: number[] | undefined, follows?: boolean): Promise<void> {
  const profile = coreOf(kith).shown.profile(id)
  if (levels) profile.setProfileAccessLevels(levels)
  if (follows !== undefined) profile.subscribe(follows)
  await profile.save()
  await kith.whenSynced()
}

/** Alice publishes her profile. Bob grants her level 5 and follows her. Then Alice's account is erased. */
async function handedOver(options: Parameters<Backend['device']>[1] = {}): Promise<{ world: Backend; bob: Kith }> {
  const world = await backend()
  const alice = await world.device('alice')
  await alice.ownProfile.set('name', 'the old holder')
  await alice.whenSynced()
  const bob = await world.device('bob', options)
  await bob.ownProfile.set('phone', '1', { level: 5 })
  await give(bob, 'alice', [5], true)
  await expect.poll(() => coreOf(bob).shown.profile('alice').get('name')).toBe('the old holder')
  const told = nextEvent(bob, 'changedHands')
  await erase(world, 'alice')
  expect((await told)[0].id).toBe('alice')
  return { world, bob }
}

test('[D7][V7] an erasure emits changedHands on the granter’s device, marks profile and row, and withdraws the replicas', async () => {
  const { bob } = await handedOver()
  const alice = coreOf(bob).shown.profile('alice')
  expect([alice.hasChangedHands, alice.accessLevels, alice.isSubscribed]).toEqual([true, [5], true])
  expect(await rowOf(bob, 'alice')).toMatchObject({ hasChangedHands: true, levels: [5], fields: {}, hasJoined: false })
  expect(await first(bob.liveProfile('alice'))).toMatchObject({ hasChangedHands: true })
  expect(bob.viewAs('alice')).toMatchObject({ levels: [0], fields: {} })
})

test('[D7] confirm() makes grants and follow count for the next holder, and hasChangedHands false', async () => {
  const { world, bob } = await handedOver()
  const next = await world.device('alice')
  await next.ownProfile.set('name', 'Next')
  await next.whenSynced()
  const bobSeen = next.getProfile('bob')
  await bobSeen.loaded
  expect(bobSeen.get('phone')).toBeUndefined()
  const alice = coreOf(bob).shown.profile('alice')
  await alice.confirm()
  expect(alice.hasChangedHands).toBe(false)
  expect(await rowOf(bob, 'alice')).toMatchObject({ hasChangedHands: false })
  expect(bob.viewAs('alice')).toMatchObject({ levels: [0, 5], fields: { phone: '1' } })
  await bob.whenSynced()
  expect(alice.get('name')).toBe('Next')
  await next.whenSynced()
  expect(bobSeen.get('phone')).toBe('1')
})

test('[D7][R3] confirm() writes nothing if the id has not changed hands, and nothing a second time', async () => {
  const { bob } = await handedOver()
  bob.disconnect()
  await coreOf(bob).shown.profile('carol').confirm()
  expect(bob.unsent).toBe(0)
  await coreOf(bob).shown.profile('alice').confirm()
  await coreOf(bob).shown.profile('alice').confirm()
  expect(bob.unsent).toBe(1)
  await expect(coreOf(bob).shown.profile('bob').confirm()).rejects.toThrow(TypeError)
})

test('[D7][D1] an offline confirmation survives a reload, and counts when the device connects', async () => {
  const storage = { indexedDB: new IDBFactory() }
  const { world, bob } = await handedOver(storage)
  bob.disconnect()
  await coreOf(bob).shown.profile('alice').confirm()
  await bob.close()
  const again = await world.open('bob', { ...storage, connect: false })
  const reports = reported(again)
  expect(coreOf(again).shown.profile('alice').hasChangedHands).toBe(false)
  const next = await world.device('alice')
  await next.ownProfile.set('name', 'Next')
  await next.whenSynced()
  again.connect()
  await again.whenSynced()
  expect([
    coreOf(again).shown.profile('alice').get('name'),
    coreOf(again).shown.profile('alice').hasChangedHands,
  ]).toEqual(['Next', false])
  expect(reports).toEqual([])
})

test('[D7] remove() clears hasChangedHands at once, also offline, and grants made after it count', async () => {
  const { world, bob } = await handedOver()
  const alice = coreOf(bob).shown.profile('alice')
  bob.disconnect()
  await alice.remove()
  expect([alice.hasChangedHands, await rowOf(bob, 'alice')]).toEqual([false, undefined])
  bob.connect()
  await bob.whenSynced()
  const next = await world.device('alice')
  await next.ownProfile.set('name', 'Next')
  await next.whenSynced()
  await give(bob, 'alice', [5], true)
  expect([alice.hasChangedHands, alice.get('name')]).toEqual([false, 'Next'])
})

test('[D7] each device reports each incarnation once: also a device that was away, and a new device', async () => {
  const world = await backend()
  const alice = await world.device('alice')
  await alice.whenSynced()
  const storage = { indexedDB: new IDBFactory() }
  const bob = await world.open('bob', storage)
  await give(bob, 'alice', [5])
  await bob.close()
  await erase(world, 'alice')
  const back = await world.open('bob', { ...storage, connect: false })
  const reports = reported(back)
  back.connect()
  await back.whenSynced()
  expect(reports).toEqual(['alice'])
  back.disconnect()
  back.connect()
  await back.whenSynced()
  await back.close()
  const again = await world.open('bob', { ...storage, connect: false })
  const later = reported(again)
  again.connect()
  await again.whenSynced()
  const fresh = await world.device('bob', { connect: false })
  const news = reported(fresh)
  fresh.connect()
  await fresh.whenSynced()
  const contact = coreOf(again).shown.profile('alice')
  contact.setProfileAccessLevels([5, 6])
  await contact.save()
  await again.whenSynced()
  expect([reports, later, news]).toEqual([['alice'], [], ['alice']])
  expect(coreOf(again).shown.profile('alice').hasChangedHands).toBe(true)

  await coreOf(again).shown.profile('alice').confirm()
  await again.whenSynced()
  const next = await world.device('alice')
  await next.whenSynced()
  const second = nextEvent(again, 'changedHands')
  await erase(world, 'alice')
  await second
  expect(later).toEqual(['alice'])
})

test('[D7] a confirmation or a removal on one device clears hasChangedHands on the user’s other devices', async () => {
  const { world, bob } = await handedOver()
  const laptop = await world.device('bob')
  await laptop.whenSynced()
  const alice = coreOf(laptop).shown.profile('alice')
  expect(alice.hasChangedHands).toBe(true)
  await coreOf(bob).shown.profile('alice').confirm()
  await bob.whenSynced()
  await expect.poll(() => alice.hasChangedHands).toBe(false)
  await expect.poll(() => rowOf(laptop, 'alice')).toMatchObject({ hasChangedHands: false })
})

test('[D7] every tab emits changedHands, and shows it', async () => {
  const world = await backend()
  const alice = await world.device('alice')
  await alice.whenSynced()
  const shared = { indexedDB: new IDBFactory(), ...sharedByTabs() }
  const [one, two] = [await world.open('bob', shared), await world.open('bob', shared)]
  await give(one, 'alice', [5])
  const told = [one, two].map(tab => nextEvent(tab, 'changedHands'))
  await erase(world, 'alice')
  await Promise.all(told)
  expect([one, two].map(tab => coreOf(tab).shown.profile('alice').hasChangedHands)).toEqual([true, true])
  await coreOf(two).shown.profile('alice').confirm()
  await expect.poll(() => coreOf(one).shown.profile('alice').hasChangedHands).toBe(false)
})

test('[D7][R5] synchronising the phone book again confirms nothing', async () => {
  const { bob } = await handedOver()
  const synchronizer = new ContactSynchronizer(bob)
  synchronizer.subscribe(true)
  synchronizer.setProfileAccessLevels([5, 6])
  await synchronizer.sync(['alice'])
  await bob.whenSynced()
  expect(coreOf(bob).shown.profile('alice').hasChangedHands).toBe(true)
})

test('[D7] accessing the profile of an id that changed hands fetches it like a stranger’s, for the session only', async () => {
  const storage = { indexedDB: new IDBFactory() }
  const { world, bob } = await handedOver(storage)
  const next = await world.device('alice')
  await next.ownProfile.set('name', 'Next')
  await next.whenSynced()
  const seen = bob.getProfile('alice')
  await seen.loaded
  expect([seen.get('name'), seen.hasChangedHands]).toEqual(['Next', true])
  await bob.close()
  const again = await world.open('bob', { ...storage, connect: false })
  await coreOf(again).shown.load('alice')
  expect(coreOf(again).shown.profile('alice').fields).toEqual({})
})

test('[D7] a change of hands that a fresh feed does not repeat is dropped', async () => {
  const { world, bob } = await handedOver()
  bob.disconnect()
  const laptop = await world.device('bob')
  await laptop.whenSynced()
  await coreOf(laptop).shown.profile('alice').remove()
  await laptop.whenSynced()
  await give(laptop, 'alice', [5])
  await coreOf(bob).store.db.meta.delete('cursor')
  bob.connect()
  await bob.whenSynced()
  await expect.poll(() => coreOf(bob).shown.profile('alice').hasChangedHands).toBe(false)
  expect(coreOf(bob).shown.profile('alice').accessLevels).toEqual([5])
})

test('[D7] the roster holds a confirmation as `<incarnation>/<user id>`, and loses it with the contact', async () => {
  const { bob } = await handedOver()
  const keys = (): string[] => [...coreOf(bob).store.documents.roster.view.entries('confirmed')].map(([key]) => key)
  await coreOf(bob).shown.profile('alice').confirm()
  expect(keys()).toEqual([expect.stringMatching(/^[A-Za-z0-9_-]{11}\/alice$/)])
  await coreOf(bob).shown.profile('alice').remove()
  expect(keys()).toEqual([])
  await bob.whenSynced()
})

test('[D7] on a device that never connected, no id has changed hands', async () => {
  const bob = await installation('bob').open()
  await new ContactSynchronizer(bob).sync(['alice'])
  expect((await first(bob.contacts())).map(row => row.hasChangedHands)).toEqual([false])
})
