import { ContactSynchronizer } from '@kith/client'
import { expect, test } from 'vitest'
import { backend } from './backend.ts'
import { first } from './device.ts'

test('[F1] a follower sees what it was granted, at once, and loses it when that is withdrawn', async () => {
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

test('[R2] two devices of one user merge what they changed apart, and both arrive at the same', async () => {
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
