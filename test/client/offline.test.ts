import { ContactSynchronizer, KithError } from '@kith/client'
import { expect, test } from 'vitest'
import { first, installation } from '../support/devices.ts'

test('[D1] a saved change survives a reload, offline', async () => {
  const phone = installation('alice')
  const before = await phone.open()
  const bob = before.getProfile('bob')
  bob.setLabel('Bob from work')
  bob.setProfileAccessLevels([5, 1, 2])
  bob.subscribe(true)
  await bob.save()
  await before.ownProfile.set('name', 'Ada')
  await before.ownProfile.set('phone', '+441632960001', { level: 2 })
  await before.setPublicAudience('contacts')
  await before.setMessageAudience('nobody')
  await before.close()

  const after = await phone.open()
  const again = after.getProfile('bob')
  expect(again.label).toBe('Bob from work')
  expect(again.accessLevels).toEqual([1, 2, 5])
  expect([again.isContact, again.isSubscribed, again.isBlocked]).toEqual([true, true, false])
  expect(after.ownProfile.get('name')).toBe('Ada')
  expect(after.ownProfile.fields).toEqual(
    new Map([
      [0, { name: 'Ada' }],
      [2, { phone: '+441632960001' }],
    ]),
  )
  expect([after.publicAudience, after.messageAudience]).toEqual(['contacts', 'nobody'])
  expect(after.unsent).toBeGreaterThanOrEqual(4)
  expect(after.status).toBe('offline')
})

test('[D1] a reload shows the same contacts as before', async () => {
  const phone = installation('alice')
  const before = await phone.open()
  const syncer = new ContactSynchronizer(before)
  syncer.setProfileAccessLevels([1])
  expect(await syncer.sync(['bob', 'carol', 'bob', ' bob '])).toEqual({
    added: 2,
    updated: 0,
    unchanged: 0,
    invalid: [],
  })
  const rows = await first(before.contacts())
  expect(rows.map(row => [row.id, row.levels, row.isContact])).toEqual([
    ['bob', [1], true],
    ['carol', [1], true],
  ])
  await before.close()
  expect(await first((await phone.open()).contacts())).toEqual(rows)
})

test('[R3] syncing the same phone book again writes nothing', async () => {
  const kith = await installation('alice').open()
  const syncer = new ContactSynchronizer(kith)
  syncer.subscribe(true)
  syncer.setProfileAccessLevels([1, 2])
  await syncer.sync(['bob', 'carol'])
  const { unsent } = kith
  expect(await syncer.sync(['carol', 'bob'])).toEqual({ added: 0, updated: 0, unchanged: 2, invalid: [] })
  expect(await syncer.syncAsUpdate(['carol'])).toEqual({ added: 0, updated: 0, unchanged: 1, invalid: [] })
  expect(kith.unsent).toBe(unsent)
})

test('[R5] sync replaces what it names, syncAsUpdate only adds, and neither touches labels, blocks or others', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  bob.setLabel('Bob')
  bob.block(true)
  bob.setProfileAccessLevels([7])
  await bob.save()
  const syncer = new ContactSynchronizer(kith)
  syncer.setProfileAccessLevels([1, 2])
  await syncer.sync(['bob', 'carol'])
  expect(bob.accessLevels).toEqual([1, 2])
  expect([bob.label, bob.isBlocked]).toEqual(['Bob', true])
  syncer.setProfileAccessLevels([2, 3])
  expect(await syncer.syncAsUpdate(['bob'])).toMatchObject({ updated: 1 })
  expect(bob.accessLevels).toEqual([1, 2, 3])
  expect(kith.getProfile('carol').accessLevels).toEqual([1, 2])
  syncer.setProfileAccessLevels(null)
  await syncer.sync(['bob'])
  expect([bob.isContact, bob.accessLevels, bob.isBlocked]).toEqual([false, [], true])
})

test('queued synchronisations are written together, each with the options of its call, and count each contact once', async () => {
  const kith = await installation('alice').open()
  const syncer = new ContactSynchronizer(kith)
  syncer.setProfileAccessLevels([1])
  expect(await syncer.sync(['bob', '\n'], false)).toEqual({
    added: 0,
    updated: 0,
    unchanged: 0,
    invalid: [{ input: '\n', reason: 'malformed' }],
  })
  syncer.setProfileAccessLevels([2])
  await syncer.syncAsUpdate(['bob', 'carol'], false)
  expect(kith.unsent).toBe(0)
  expect(await syncer.syncNow()).toMatchObject({ added: 2, updated: 0, unchanged: 0 })
  expect(kith.unsent).toBe(1)
  expect(kith.getProfile('bob').accessLevels).toEqual([1, 2])
  expect(kith.getProfile('carol').accessLevels).toEqual([2])
})

test('invalid addresses are reported with the reason', async () => {
  const kith = await installation('+441632960000').open()
  const asTheyAre = await new ContactSynchronizer(kith).sync(['', '..', 'x'.repeat(129), '+441632960000', 'bob'])
  expect(asTheyAre.invalid.map(({ reason }) => reason)).toEqual(['malformed', 'malformed', 'too-long', 'self'])
  const phones = new ContactSynchronizer(kith, { phoneNumbers: { region: 'GB' } })
  const result = await phones.sync(['020 7946 0123', '+44 20 7946 0123', 'bob', '+441632960000'])
  expect(result).toEqual({
    added: 1,
    updated: 0,
    unchanged: 0,
    invalid: [
      { input: 'bob', reason: 'not-a-phone-number' },
      { input: '+441632960000', reason: 'self' },
    ],
  })
  expect(kith.getProfile('+442079460123').isContact).toBe(true)
})

test('bidi controls make an address malformed, but are ignored around a phone number', async () => {
  const kith = await installation('alice').open()
  const copied = '\u202d+44 20 7946 0123\u202c'
  const asTheyAre = await new ContactSynchronizer(kith).sync([copied, 'bob\u202e'])
  expect(asTheyAre).toMatchObject({ added: 0, invalid: [{ reason: 'malformed' }, { reason: 'malformed' }] })
  const phones = new ContactSynchronizer(kith, { phoneNumbers: true })
  expect(await phones.sync([copied, '\u202e+442079460123'])).toMatchObject({
    added: 1,
    invalid: [{ input: '\u202e+442079460123', reason: 'malformed' }],
  })
  expect(() => kith.getProfile('bob\u202e')).toThrow(TypeError)
})

test('[D5] a change beyond a limit rejects with its code, and nothing has changed', async () => {
  const kith = await installation('alice').open()
  await kith.enableAutoSyncContacts(false)
  const { unsent } = kith
  const bob = kith.getProfile('bob')
  bob.setLabel('x'.repeat(257))
  await expect(bob.save()).rejects.toMatchObject({ code: 'label-too-long' })
  expect([bob.label, bob.isContact]).toEqual([undefined, false])
  const me = kith.ownProfile
  await expect(me.set('n'.repeat(65), 1)).rejects.toMatchObject({ code: 'field-name-too-long' })
  await expect(me.set('photo', new Uint8Array(65 * 1024))).rejects.toMatchObject({ code: 'profile-too-large' })
  await expect(kith.send('bob', 'x'.repeat(16 * 1024 + 1))).rejects.toMatchObject({ code: 'message-too-long' })
  expect(me.fields.size).toBe(0)
  expect(kith.unsent).toBe(unsent)
  for (let level = 0; level < 16; level++) await me.set('name', 'Ada', { level })
  await expect(me.set('name', 'Ada', { level: 16 })).rejects.toThrow(KithError)
  await expect(me.set('name', 'Ada', { level: 16 })).rejects.toMatchObject({ code: 'too-many-levels' })
  bob.setLabel('Bob')
  await bob.save()
  expect(bob.label).toBe('Bob')
})

test('[D5] staged edits stay staged when save() rejects', async () => {
  const kith = await installation('alice').open()
  await kith.enableAutoSyncContacts(false)
  const bob = kith.getProfile('bob')
  bob.setProfileAccessLevels([1])
  bob.setLabel('x'.repeat(257))
  await expect(bob.save()).rejects.toMatchObject({ code: 'label-too-long' })
  bob.setLabel('Bob')
  await bob.save()
  expect([bob.label, bob.accessLevels]).toEqual(['Bob', [1]])
})

test('[D3] a removal counts as unsent like any change', async () => {
  const kith = await installation('alice').open()
  await kith.enableAutoSyncContacts(false)
  const bob = kith.getProfile('bob')
  bob.setProfileAccessLevels([1])
  bob.setLabel('Bob')
  await bob.save()
  await kith.ownProfile.set('name', 'Ada')
  const { unsent } = kith
  bob.setProfileAccessLevels([])
  bob.setLabel(null)
  await bob.save()
  await kith.ownProfile.unset('name')
  expect(kith.unsent).toBe(unsent + 2)
})

test('[R6] a field is set, replaced and unset at its own level alone', async () => {
  const { ownProfile: me } = await installation('alice').open()
  await me.set('name', 'Ada')
  await me.set('name', 'Ada L.', { level: 3 })
  await me.set('photo', Uint8Array.of(1, 2))
  await me.set('__proto__', true)
  expect(me.get('name')).toBe('Ada')
  expect(me.get('photo')).toEqual(Uint8Array.of(1, 2))
  expect(me.get('__proto__')).toBe(true)
  expect(me.get('toString')).toBeUndefined()
  await me.unset('name')
  expect([me.get('name'), me.get('name', { level: 3 })]).toEqual([undefined, 'Ada L.'])
})

test('accessing a profile follows it, unless it is blocked or declined or automatic following is off', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  await bob.loaded
  expect([bob.isSubscribed, bob.isContact]).toEqual([true, false])
  bob.subscribe(false)
  await bob.save()
  await kith.getProfile('bob').loaded
  expect(bob.isSubscribed).toBe(false)
  const carol = kith.getProfile('carol')
  await carol.remove()
  await kith.getProfile('carol').loaded
  expect(carol.isSubscribed).toBe(false)
  await kith.enableAutoSyncContacts(false)
  const dave = kith.getProfile('dave')
  await dave.loaded
  expect(dave.isSubscribed).toBe(false)
  expect(kith.getProfile('dave')).toBe(dave)
  expect((await first(kith.contacts())).map(row => row.id)).toEqual([])
})

test('wrong arguments are TypeErrors', async () => {
  const kith = await installation('alice').open()
  const bob = kith.getProfile('bob')
  const syncer = new ContactSynchronizer(kith)
  expect(() => kith.getProfile('')).toThrow(TypeError)
  expect(() => bob.subscribe('yes' as never)).toThrow(TypeError)
  expect(() => bob.setProfileAccessLevels([256])).toThrow(TypeError)
  expect(() => bob.setProfileAccessLevels(3 as never)).toThrow(TypeError)
  expect(() => bob.setLabel(7 as never)).toThrow(TypeError)
  expect(() => syncer.setProfileAccessLevels([-1])).toThrow(TypeError)
  expect(() => kith.on('nothing' as never, () => undefined)).toThrow(TypeError)
  expect(() => new ContactSynchronizer(kith, { phoneNumbers: { region: 'gb' } })).toThrow(TypeError)
  await expect(syncer.sync('bob' as never)).rejects.toThrow(TypeError)
  await expect(syncer.sync([7] as never)).rejects.toThrow(TypeError)
  await expect(kith.ownProfile.set('n', Number.NaN)).rejects.toThrow(TypeError)
  await expect(kith.ownProfile.set('n', null as never)).rejects.toThrow(TypeError)
  await expect(kith.ownProfile.set('n', '\ud800')).rejects.toThrow(TypeError)
  await expect(kith.ownProfile.set('n', 1, { level: 1.5 })).rejects.toThrow(TypeError)
  await expect(kith.setPublicAudience('all' as never)).rejects.toThrow(TypeError)
  await expect(kith.setMessageAudience('friends' as never)).rejects.toThrow(TypeError)
  await expect(kith.send('bob', '')).rejects.toThrow(TypeError)
  await expect(kith.enableAutoSyncContacts(1 as never)).rejects.toThrow(TypeError)
})
