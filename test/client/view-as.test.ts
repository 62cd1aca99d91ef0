import type { Audience, Kith } from '@kith/client'
import { expect, test } from 'vitest'
import { backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { installation } from '../support/devices.ts'
import { emissions } from '../support/emissions.ts'

test('[V1] viewAs shows nothing to a blocked user, for any grants', async () => {
  const kith = await withProfile()
  await change(kith, 'bob', profile => profile.setProfileAccessLevels([2]))
  await change(kith, 'bob', profile => profile.block(true))
  expect(kith.viewAs('bob')).toEqual({ levels: [], fields: {}, reason: 'blocked' })
  await change(kith, 'bob', profile => profile.block(false))
  expect(kith.viewAs('bob').reason).toBe('visible')
})

test('[V3] ownProfile.merged gives what a viewer of exactly these levels sees: of a field at several, the value at the highest', async () => {
  const { ownProfile } = await withProfile()
  expect(ownProfile.merged([])).toEqual({})
  expect(ownProfile.merged([0])).toEqual({ name: 'Ada' })
  expect(ownProfile.merged([5, 2, 0, 9])).toEqual({ name: 'Ada L.', phone: '+44', city: 'London' })
  expect(() => ownProfile.merged([256])).toThrow(TypeError)
})

test('[V3] viewAs shows the granted levels, and level 0 by the audience, contact and grants', async () => {
  const kith = await withProfile()
  await change(kith, 'contact', profile => profile.setProfileAccessLevels([]))
  await change(kith, 'granted', profile => profile.setProfileAccessLevels([5, 2]))
  await change(kith, 'follower', profile => profile.subscribe(true))
  const nothing = { levels: [], fields: {}, reason: 'not-granted' }
  const open = { levels: [0], fields: { name: 'Ada' }, reason: 'visible' }
  const granted = { levels: [0, 2, 5], fields: { name: 'Ada L.', phone: '+44', city: 'London' }, reason: 'visible' }
  const expected: Record<Audience, object[]> = {
    everyone: [open, open, open, granted],
    contacts: [nothing, nothing, open, granted],
    nobody: [nothing, nothing, nothing, granted],
  }
  for (const audience of ['everyone', 'contacts', 'nobody'] as const) {
    await kith.setPublicAudience(audience)
    const views = ['stranger', 'follower', 'contact', 'granted'].map(id => kith.viewAs(id))
    expect(views, audience).toEqual(expected[audience])
  }
})

test('[V3] viewAs of the own user id shows all fields, and throws for an invalid address', async () => {
  const kith = await withProfile()
  expect(kith.viewAs('alice')).toEqual({
    ...{ levels: [0, 2, 5], reason: 'self' },
    fields: { name: 'Ada L.', phone: '+44', city: 'London' },
  })
  await kith.ownProfile.unset('name')
  expect(kith.viewAs('alice').levels).toEqual([0, 2, 5])
  expect(() => kith.viewAs('')).toThrow(TypeError)
})

test('[V1][V3] viewAs agrees with the server and with what the viewer sees', async () => {
  const world = await backend()
  const alice = await world.device('alice')
  await fill(alice)
  const viewers = ['bob', 'carol', 'dave']
  const devices = await Promise.all(viewers.map(id => world.device(id)))
  for (const device of devices) await device.getProfile('alice').loaded
  const settings: [Audience, Parameters<typeof change>[2]][] = [
    ['everyone', profile => profile.setProfileAccessLevels([2])],
    ['contacts', profile => profile.setProfileAccessLevels(null)],
    ['contacts', profile => profile.setProfileAccessLevels([])],
    ['nobody', profile => profile.setProfileAccessLevels([0])],
    ['nobody', profile => profile.block(true)],
    ['everyone', profile => profile.setProfileAccessLevels([5])],
  ]
  for (const [audience, edit] of settings) {
    await alice.setPublicAudience(audience)
    await change(alice, 'bob', edit)
    await alice.whenSynced()
    const own = await world.admin('GET', '/v1/visibility?owner=alice&viewer=alice')
    expect(alice.viewAs('alice')).toMatchObject(own.body as object)
    for (const [index, device] of devices.entries()) {
      const viewer = viewers[index] as string
      const { levels, fields, reason } = alice.viewAs(viewer)
      const answer = await world.admin('GET', `/v1/visibility?owner=alice&viewer=${viewer}`)
      expect({ levels, reason }).toEqual(answer.body)
      await expect.poll(() => device.getProfile('alice').fields).toEqual(fields)
    }
  }
})

test('[D5] refused fields are not in viewAs, since no viewer sees them', async () => {
  const world = await backend({ profileLevels: 1 })
  const kith = await world.device('alice', { connect: false })
  await kith.ownProfile.set('name', 'Ada')
  await kith.ownProfile.set('phone', '+44', { level: 2 })
  await change(kith, 'bob', profile => profile.setProfileAccessLevels([2]))
  expect(kith.viewAs('bob').fields).toEqual({ name: 'Ada', phone: '+44' })
  kith.connect()
  await expect(kith.whenSynced()).rejects.toMatchObject({ code: 'too-many-levels' })
  expect([kith.ownProfile.get('phone', { level: 2 }), kith.viewAs('bob').fields]).toEqual(['+44', { name: 'Ada' }])
})

test('liveViewAs emits in every tab when the view changes, and only then', async () => {
  const phone = installation('alice', { ...sharedByTabs() })
  const [one, two] = [await phone.open(), await phone.open()]
  const told = emissions(two.liveViewAs('bob'))
  await expect.poll(() => told).toEqual([{ levels: [0], fields: {}, reason: 'visible' }])
  await one.ownProfile.set('phone', '+44', { level: 2 }) // Not for bob's eyes.
  await change(one, 'carol', profile => profile.setProfileAccessLevels([2]))
  await change(one, 'bob', profile => profile.setProfileAccessLevels([2]))
  await expect.poll(() => told.slice(1)).toEqual([{ levels: [0, 2], fields: { phone: '+44' }, reason: 'visible' }])
  await one.setPublicAudience('nobody') // A grant shows level 0 all the same.
  await change(one, 'bob', profile => profile.block(true))
  await change(one, 'bob', profile => profile.setProfileAccessLevels(null))
  await change(one, 'bob', profile => profile.block(false))
  const nothing = { levels: [], fields: {} }
  await expect
    .poll(() => told.slice(2))
    .toEqual([
      { ...nothing, reason: 'blocked' },
      { ...nothing, reason: 'not-granted' },
    ])
})

async function withProfile(): Promise<Kith> {
  const kith = await installation('alice').open()
  await fill(kith)
  return kith
}

async function fill(kith: Kith): Promise<void> {
  await kith.ownProfile.set('name', 'Ada')
  await kith.ownProfile.set('phone', '+44', { level: 2 })
  await kith.ownProfile.set('name', 'Ada L.', { level: 5 })
  await kith.ownProfile.set('city', 'London', { level: 5 })
  await kith.ownProfile.set('diary', 'Dear diary', { level: 9 })
  await kith.ownProfile.unset('diary', { level: 9 })
}

async function change(kith: Kith, id: string, edit: (profile: ReturnType<Kith['getProfile']>) => void): Promise<void> {
  const profile = kith.getProfile(id)
  edit(profile)
  await profile.save()
}
