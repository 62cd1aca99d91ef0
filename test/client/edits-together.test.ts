import { IDBDatabase } from 'fake-indexeddb'
import { expect, test, vi } from 'vitest'
import { backend } from '../support/backend.ts'
import { installation } from '../support/devices.ts'

test('[D1][D5] of edits that are made at once a refused one rejects alone, and the others are stored together, in their order', async () => {
  const phone = installation('alice')
  const kith = await phone.open()
  const me = kith.ownProfile
  const { unsent } = kith
  const transactions = vi.spyOn(IDBDatabase.prototype, 'transaction')
  const edits = Array.from({ length: 30 }, (_, index) => me.set('mood', `mood ${index}`))
  const refused = me.set('photo', new Uint8Array(65 * 1024))
  const last = me.set('mood', 'well')
  const label = kith.getProfile('bob')
  label.setLabel('Bob from work')
  const saved = label.save()
  await expect(refused).rejects.toMatchObject({ code: 'profile-too-large' })
  await Promise.all([...edits, last, saved])
  // The first transaction may have begun before the second edit was made. All edits that wait meanwhile are in the next one.
  expect(transactions.mock.calls.length).toBeLessThan(8)
  transactions.mockRestore()
  expect(me.fields).toEqual(new Map([[0, { mood: 'well' }]]))
  expect(kith.unsent - unsent).toBeGreaterThanOrEqual(32)
  await kith.close()
  const again = await phone.open()
  expect(again.ownProfile.fields).toEqual(new Map([[0, { mood: 'well' }]]))
  expect(again.getProfile('bob').label).toBe('Bob from work')
})

test('[V6] of edits that are made at once a revocation takes effect before the edit that was made after it', async () => {
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
  const places: unknown[] = []
  bob.on('profile', profile => places.push(profile.get('place')))
  const edits = Array.from({ length: 20 }, (_, index) => alice.ownProfile.set('mood', `mood ${index}`))
  grant.setProfileAccessLevels([])
  edits.push(grant.save(), alice.ownProfile.set('place', 'a secret', { level: 2 }))
  // Earlier edits are sent, also if no call waited for them.
  await alice.whenSynced()
  await bob.whenSynced()
  expect(places).not.toContain('a secret')
  expect(seen.fields).toEqual({ mood: 'mood 19' })
  await Promise.all(edits)
})
