import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { backend } from '../support/backend.ts'

test('[V6] a revocation made offline before an edit takes effect before that edit is seen', async () => {
  const { device } = await backend()
  const [alice, bob] = [await device('alice'), await device('bob')]
  const grant = alice.getProfile('bob')
  grant.setProfileAccessLevels([2])
  await grant.save()
  await alice.ownProfile.set('place', 'Paris', { level: 2 })
  await alice.whenSynced()
  const seen = bob.getProfile('alice')
  await seen.loaded
  await bob.whenSynced()
  expect(seen.get('place')).toBe('Paris')
  const places: unknown[] = []
  bob.on('profile', profile => places.push(profile.get('place')))

  alice.disconnect()
  await alice.ownProfile.set('mood', 'well')
  grant.setProfileAccessLevels([])
  await grant.save()
  await alice.ownProfile.set('place', 'a secret', { level: 2 })
  alice.connect()
  await alice.whenSynced()
  await bob.whenSynced()
  expect(places).not.toContain('a secret')
  expect(seen.fields).toEqual({ mood: 'well' })
})

test('[V6] a field erased offline before a grant is never seen by the granted user', async () => {
  const { device, open } = await backend()
  const indexedDB = new IDBFactory()
  const [alice, bob] = [await open('alice', { indexedDB }), await device('bob')]
  await alice.ownProfile.set('place', 'a secret', { level: 2 })
  await alice.ownProfile.set('name', 'Ada')
  await alice.whenSynced()
  const seen = bob.getProfile('alice')
  await seen.loaded
  await bob.whenSynced()
  const places: unknown[] = []
  bob.on('profile', profile => places.push(profile.get('place')))
  alice.disconnect()
  await alice.setPublicAudience('contacts')
  await alice.ownProfile.unset('place', { level: 2 })
  const grant = alice.getProfile('bob')
  grant.setProfileAccessLevels([2])
  await grant.save()
  await alice.ownProfile.set('mood', 'well', { level: 2 })
  await alice.close()

  const again = await open('alice', { indexedDB })
  await again.whenSynced()
  await bob.whenSynced()
  expect(places).not.toContain('a secret')
  expect(seen.fields).toEqual({ name: 'Ada', mood: 'well' })
})

test('[R4] a block made offline survives a lifting elsewhere that had not seen it', async () => {
  const { device } = await backend()
  const [phone, laptop] = [await device('alice'), await device('alice')]
  const [there, here] = [phone.getProfile('bob'), laptop.getProfile('bob')]
  there.block(true)
  await there.save()
  await phone.whenSynced()
  await laptop.whenSynced()
  expect(here.isBlocked).toBe(true)
  phone.disconnect()
  laptop.disconnect()
  there.block(false)
  await there.save()
  there.block(true)
  await there.save()
  here.block(false)
  await here.save()
  phone.connect()
  laptop.connect()
  await phone.whenSynced()
  await laptop.whenSynced()
  await phone.whenSynced()
  expect([there.isBlocked, here.isBlocked]).toEqual([true, true])
})

test('[R6] of two concurrent values of a field one wins on both devices, and a set beats an unset', async () => {
  const { device } = await backend()
  const [phone, laptop] = [await device('alice'), await device('alice')]
  await phone.ownProfile.set('mood', 'well')
  await phone.whenSynced()
  await laptop.whenSynced()
  expect(laptop.ownProfile.get('mood')).toBe('well')
  phone.disconnect()
  laptop.disconnect()
  await phone.ownProfile.set('name', 'Ada')
  await laptop.ownProfile.set('name', 'Lovelace')
  await phone.ownProfile.set('mood', 'better')
  await laptop.ownProfile.unset('mood')
  phone.connect()
  laptop.connect()
  await phone.whenSynced()
  await laptop.whenSynced()
  await phone.whenSynced()
  expect(phone.ownProfile.fields).toEqual(laptop.ownProfile.fields)
  expect(['Ada', 'Lovelace']).toContain(phone.ownProfile.get('name'))
  expect(phone.ownProfile.get('mood')).toBe('better')
})

test('[D2] whenSynced waits for all earlier changes in both documents', async () => {
  const { device } = await backend()
  const alice = await device('alice')
  await alice.whenSynced()
  const changes: Promise<void>[] = []
  for (let count = 0; count < 10; count++) {
    const somebody = alice.getProfile(`somebody ${count}`)
    somebody.setProfileAccessLevels([1])
    changes.push(somebody.save(), alice.ownProfile.set('count', count))
  }
  await Promise.all(changes)
  await alice.whenSynced()
  expect(alice.unsent).toBe(0)
})
