import { ContactSynchronizer } from '@kith/client'
import { expect, test } from 'vitest'
import { backend } from '../support/backend.ts'
import { first } from '../support/devices.ts'

test('[F1] a follower sees a granted level at once, and loses it when the grant is withdrawn', async () => {
  const { device } = await backend()
  const [alice, bob] = [await device('alice'), await device('bob')]
  await alice.ownProfile.set('name', 'Ada')
  await alice.ownProfile.set('phone', '+441632960001', { level: 2 })
  const grant = alice.getProfile('bob')
  grant.setProfileAccessLevels([2])
  await grant.save()
  await alice.whenSynced()
  expect(alice.unsent).toBe(0)

  const seen = bob.getProfile('alice')
  await seen.loaded
  expect(seen.fields).toEqual({ name: 'Ada', phone: '+441632960001' })
  expect(seen.hasJoined).toBe(true)

  const withdrawn = new Promise(resolve => bob.on('withdrawn', (profile, levels) => resolve([profile.id, levels])))
  grant.setProfileAccessLevels(null)
  await grant.save()
  expect(await withdrawn).toEqual(['alice', [2]])
  expect(seen.fields).toEqual({ name: 'Ada' })
})

test('[R2] two devices of one user merge concurrent changes to the same state', async () => {
  const { device } = await backend()
  const [phone, laptop] = [await device('alice'), await device('alice')]
  const syncer = new ContactSynchronizer(phone)
  syncer.setProfileAccessLevels([1, 2])
  await syncer.sync(['bob'])
  await phone.whenSynced()
  await laptop.whenSynced()
  expect(laptop.getProfile('bob').accessLevels).toEqual([1, 2])
  phone.disconnect()
  laptop.disconnect()
  syncer.setProfileAccessLevels([2, 3])
  await syncer.sync(['bob'])
  const other = new ContactSynchronizer(laptop)
  other.setProfileAccessLevels([1, 2, 4])
  await other.sync(['bob'])
  phone.connect()
  await phone.whenSynced()
  laptop.connect()
  await laptop.whenSynced()
  await phone.whenSynced()
  expect(phone.getProfile('bob').accessLevels).toEqual([2, 3, 4])
  expect(laptop.getProfile('bob').accessLevels).toEqual([2, 3, 4])
  expect((await first(laptop.contacts()))[0]?.levels).toEqual([2, 3, 4])
})

test('[D2] whenSynced waits for saves that are in progress when it is called', async () => {
  const { device } = await backend()
  const [alice, laptop] = [await device('alice'), await device('alice')]
  await alice.whenSynced()
  const saving = [alice.ownProfile.set('name', 'Ada'), alice.ownProfile.set('name', 'Augusta')]
  await alice.whenSynced()
  expect(alice.unsent).toBe(0)
  await Promise.all(saving)
  await laptop.whenSynced()
  expect(laptop.ownProfile.get('name')).toBe('Augusta')
})

test('[F1] many profiles that arrive at once are stored in one transaction, on this device and on a new one', async () => {
  const { device } = await backend()
  const owners = Array.from({ length: 120 }, (_, index) => `owner ${index}`)
  for (const owner of owners) {
    const kith = await device(owner)
    await kith.ownProfile.set('name', owner)
    await kith.whenSynced()
    await kith.close()
  }
  const alice = await device('alice')
  const errors: unknown[] = []
  alice.on('error', error => errors.push(error))
  const syncer = new ContactSynchronizer(alice)
  syncer.subscribe(true)
  await syncer.sync(owners)
  await alice.whenSynced()
  const other = await device('alice')
  other.on('error', error => errors.push(error))
  await other.whenSynced()
  for (const kith of [alice, other]) {
    const rows = await first(kith.contacts())
    expect(rows.map(row => row.fields['name']).sort()).toEqual([...owners].sort())
  }
  expect(errors).toEqual([])
})

test('[R3] a phone book of 10,000 contacts is synchronised, sent and present on another device', async () => {
  const { device } = await backend()
  const alice = await device('alice')
  const syncer = new ContactSynchronizer(alice)
  syncer.subscribe(true)
  syncer.setProfileAccessLevels([1, 2, 5])
  const book = Array.from({ length: 10_000 }, (_, index) => `+4416329${String(index).padStart(5, '0')}`)
  expect(await syncer.sync(book)).toEqual({ added: 10_000, updated: 0, unchanged: 0, invalid: [] })
  expect(await syncer.sync(book)).toEqual({ added: 0, updated: 0, unchanged: 10_000, invalid: [] })
  await alice.whenSynced()
  const other = await device('alice')
  await other.whenSynced()
  expect(await first(other.contacts())).toHaveLength(10_000)
  expect(other.getProfile('+441632909999').accessLevels).toEqual([1, 2, 5])
}, 60_000)
