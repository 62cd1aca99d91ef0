import { IDBFactory } from 'fake-indexeddb'
import { expect, test, vi } from 'vitest'
import { backend } from '../support/backend.ts'
import { type ToldDevice, toldDevice } from './support/told-device.ts'

/** Resolves when all edits so far have arrived on all devices. Sentences about them are consumed. */
async function settled(...devices: ToldDevice[]): Promise<void> {
  for (const { kith } of devices) await kith.whenSynced()
  for (const { kith } of devices) await kith.whenSynced()
}

test('a grant, a fetch, a revocation and a block are described on both sides', async () => {
  const server = await backend()
  const laptop = await toldDevice(server, 'alice', 'Alice’s laptop')
  const phone = await toldDevice(server, 'bob', 'Bob’s phone')
  await laptop.kith.ownProfile.set('name', 'Ada')
  await laptop.kith.ownProfile.set('phone', '+441632960001', { level: 5 })
  await settled(laptop, phone)
  expect(laptop.hear('profile')).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/sent .*name at level 0/),
      expect.stringMatching(/phone at level 5/),
    ]),
  )
  phone.hear()

  const bob = laptop.kith.getProfile('bob')
  bob.setProfileAccessLevels([2, 5])
  await bob.save()
  await settled(laptop, phone)
  expect(laptop.hear('roster', 'barrier')).toEqual(
    expect.arrayContaining([
      'Alice’s laptop sent 1 contact (bob), 2 grants (levels 2 and 5 to bob), 1 follow (bob)',
      'Alice’s laptop asks: is everything so far on disk?',
      'All that Alice’s laptop sent is on the server’s disk',
    ]),
  )
  expect(phone.hear('feed')).toEqual([
    'The server checked what Bob’s phone may see of alice: levels 0, 2 and 5',
    'Bob’s phone got alice’s level 0: name',
    'Bob’s phone got alice’s level 5: phone',
  ])

  bob.setProfileAccessLevels([2])
  await bob.save()
  await settled(laptop, phone)
  expect(laptop.hear('roster')).toEqual(['Alice’s laptop sent the withdrawal of 1 grant (level 5 from bob)'])
  expect(phone.hear('feed')).toEqual([
    'The server checked what Bob’s phone may see of alice: level 5 no longer; withdrew it; still levels 0 and 2',
  ])

  bob.block(true)
  await bob.save()
  await settled(laptop, phone)
  expect(laptop.hear('roster')).toEqual(['Alice’s laptop sent 1 block (bob)'])
  expect(phone.hear('feed')).toEqual([
    'The server checked what Bob’s phone may see of alice: levels 0 and 2 no longer; withdrew them; nothing is left',
  ])
})

test('the merge of two devices that were offline is described on each', async () => {
  const server = await backend()
  const laptop = await toldDevice(server, 'alice', 'Alice’s laptop')
  const phone = await toldDevice(server, 'alice', 'Alice’s phone')
  const on = (device: ToldDevice) => device.kith.getProfile('bob')
  // Data that exists when a device connects is described in other words.
  await settled(laptop, phone)
  on(laptop).setProfileAccessLevels([1, 5])
  await on(laptop).save()
  await settled(laptop, phone)
  expect(phone.hear('roster')).toContain(
    'Alice’s phone got 1 contact (bob), 2 grants (levels 1 and 5 to bob), 1 follow (bob) from another of alice’s devices',
  )
  for (const { kith } of [laptop, phone]) kith.disconnect()
  on(laptop).setProfileAccessLevels([1])
  await on(laptop).save()
  on(phone).setProfileAccessLevels([1, 5, 7])
  await on(phone).save()
  laptop.hear()
  phone.hear()

  laptop.kith.connect()
  await laptop.kith.whenSynced()
  expect(laptop.hear('roster')).toContain(
    'Alice’s laptop sent what the server lacked: the withdrawal of 1 grant (level 5 from bob)',
  )
  phone.kith.connect()
  await settled(phone, laptop)
  const told = phone.hear('roster')
  expect(told).toContain('Alice’s phone caught up: the withdrawal of 1 grant (level 5 from bob)')
  expect(told).toContain('Alice’s phone sent what the server lacked: 1 grant (level 7 to bob)')
  expect(laptop.hear('roster')).toEqual(['Alice’s laptop got 1 grant (level 7 to bob) from another of alice’s devices'])
  expect(on(laptop).accessLevels).toEqual([1, 7])
})

test('a join, and a message and its answer, are described', async () => {
  const server = await backend()
  const laptop = await toldDevice(server, 'alice', 'Alice’s laptop')
  const bob = laptop.kith.getProfile('bob')
  bob.subscribe(true)
  await bob.save()
  await laptop.kith.whenSynced()
  expect(laptop.hear('feed')).toContain('The server checked what Alice’s laptop may see of bob: nothing')

  const phone = await toldDevice(server, 'bob', 'Bob’s phone')
  await settled(phone, laptop)
  expect(laptop.hear('feed')).toContain(
    'bob has joined. The server checked what Alice’s laptop may see of bob: level 0',
  )
  expect(await laptop.kith.send('bob', 'hello')).toBe('delivered')
  expect(laptop.hear('message')).toEqual([
    'Alice’s laptop sends bob a message: “hello”',
    'The message of Alice’s laptop to bob was delivered: a device took it',
  ])
  expect(phone.hear('message')).toEqual([
    'Bob’s phone got a message from alice: “hello”',
    'Bob’s phone has taken alice’s message',
  ])
})

test('a reloaded page continues to describe what is new', async () => {
  const server = await backend()
  const indexedDB = new IDBFactory()
  const before = await toldDevice(server, 'alice', 'Alice’s laptop', { indexedDB })
  const bob = before.kith.getProfile('bob')
  bob.setProfileAccessLevels([5])
  await bob.save()
  await before.kith.whenSynced()
  await before.kith.close()
  await vi.waitFor(() => expect(before.hear('session')).toContain('Alice’s laptop is no longer connected: it hung up'))

  const after = await toldDevice(server, 'alice', 'Alice’s laptop', { indexedDB })
  await after.kith.whenSynced()
  expect(after.hear('session')).toEqual([
    'Alice’s laptop is connected',
    'Alice’s laptop says hello: it goes on reading from its bookmark',
    'The server welcomes Alice’s laptop: only what changed since its bookmark comes',
  ])
  const again = after.kith.getProfile('bob')
  again.setProfileAccessLevels([5, 6])
  await again.save()
  again.setProfileAccessLevels([])
  await again.save()
  await after.kith.whenSynced()
  const told = after.hear('roster').join('\n')
  expect(told).toContain('1 grant (level 6 to bob)')
  expect(told).toContain('1 change (of what stood there before the telling began)')
})
