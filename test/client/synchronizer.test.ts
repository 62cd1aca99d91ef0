import { ContactSynchronizer, type Kith, type KithError } from '@kith/client'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { backend } from '../support/backend.ts'
import { installation } from '../support/devices.ts'

function followed(kith: Kith, ids: readonly string[]): string[] {
  return ids.filter(id => kith.getProfile(id).isSubscribed)
}

async function withoutAutoSync(): Promise<Kith> {
  const alice = await installation('alice').open()
  await alice.enableAutoSyncContacts(false)
  return alice
}

test('[R5] setProfileAccessLevels(null) ends the follows that the same synchronizer made, and no others', async () => {
  const alice = await withoutAutoSync()
  const bob = alice.getProfile('bob')
  bob.subscribe(true)
  await bob.save()
  const syncer = new ContactSynchronizer(alice)
  syncer.subscribe(true)
  syncer.setProfileAccessLevels([1])
  await syncer.sync(['bob', 'carol', 'dave'])
  expect(followed(alice, ['bob', 'carol', 'dave'])).toEqual(['bob', 'carol', 'dave'])
  syncer.setProfileAccessLevels(null)
  expect(await syncer.sync(['bob', 'carol'])).toEqual({ added: 0, updated: 2, unchanged: 0, invalid: [] })
  expect(followed(alice, ['bob', 'carol', 'dave'])).toEqual(['bob', 'dave'])
  expect(['bob', 'carol'].map(id => alice.getProfile(id).isContact)).toEqual([false, false])
  // Carol is not declined, so automatic following may follow her again.
  await alice.enableAutoSyncContacts(true)
  await alice.getProfile('carol').loaded
  expect(followed(alice, ['carol'])).toEqual(['carol'])
})

test('[R5] subscribe(true) after setProfileAccessLevels(null) follows users who are no contacts', async () => {
  const alice = await withoutAutoSync()
  const syncer = new ContactSynchronizer(alice)
  syncer.subscribe(true)
  syncer.setProfileAccessLevels([1])
  await syncer.sync(['bob'])
  syncer.setProfileAccessLevels(null)
  syncer.subscribe(true)
  await syncer.sync(['bob', 'carol'])
  expect(followed(alice, ['bob', 'carol'])).toEqual(['bob', 'carol'])
  // Setting the levels again also keeps the follow.
  syncer.setProfileAccessLevels(null)
  syncer.setProfileAccessLevels([2])
  await syncer.sync(['bob'])
  expect(followed(alice, ['bob'])).toEqual(['bob'])
})

test('[R5] a queue keeps the preferences of each call: who left the phone book is no longer followed, whoever stayed is', async () => {
  const alice = await withoutAutoSync()
  const syncer = new ContactSynchronizer(alice)
  syncer.subscribe(true)
  syncer.setProfileAccessLevels([1])
  await syncer.sync(['bob', 'carol'])
  await syncer.sync(['bob'], false)
  syncer.setProfileAccessLevels(null)
  await syncer.sync(['carol'], false)
  expect(await syncer.syncNow()).toEqual({ added: 0, updated: 1, unchanged: 1, invalid: [] })
  expect(followed(alice, ['bob', 'carol'])).toEqual(['bob'])
})

/** Two versions of an app on two devices of Alice. Each sets its own level for the phone book. */
async function quarrel(): Promise<{ day: () => Promise<unknown[]>; errors: KithError[]; reopen: () => Promise<void> }> {
  const { open } = await backend()
  const stored = { indexedDB: new IDBFactory() }
  const other = await open('alice', { indexedDB: new IDBFactory() })
  const errors: KithError[] = []
  let first: Kith
  const reopen = async (): Promise<void> => {
    await first?.close()
    first = await open('alice', stored)
    first.on('error', error => errors.push(error))
  }
  await reopen()
  const day = async (): Promise<unknown[]> => {
    const results: unknown[] = []
    for (const [kith, level] of [
      [first, 1],
      [other, 2],
    ] as const) {
      await kith.whenSynced()
      const syncer = new ContactSynchronizer(kith)
      syncer.setProfileAccessLevels([level])
      results.push(await syncer.sync(['bob', 'carol']))
      await kith.whenSynced()
    }
    return results
  }
  return { day, errors, reopen }
}

test('[R5] sync counts contacts for whom it sets again what was taken away, and reports once when the same ones keep turning', async () => {
  const { day, errors, reopen } = await quarrel()
  const added = { added: 2, updated: 0, unchanged: 0, invalid: [] }
  const updated = { added: 0, updated: 2, unchanged: 0, invalid: [] }
  expect(await day()).toEqual([added, updated])
  expect(await day()).toEqual([
    { ...updated, turned: 2 },
    { ...updated, turned: 2 },
  ])
  await reopen()
  await day()
  expect(errors).toEqual([])
  await day()
  expect(errors.map(({ code, addresses }) => [code, addresses])).toEqual([['sync-turns-back', ['bob', 'carol']]])
  await reopen()
  expect((await day())[0]).toEqual({ ...updated, turned: 2 })
  await day()
  expect(errors).toHaveLength(1)
})

test('a key that turns again and again is reported also after a hundred others have turned once', async () => {
  const kith = await installation('alice').open()
  const errors: KithError[] = []
  kith.on('error', error => errors.push(error))
  const turn = async (ids: readonly string[]): Promise<void> => {
    await kith.removeContacts(ids)
    await new ContactSynchronizer(kith).sync(ids)
  }
  const others = Array.from({ length: 100 }, (_, index) => `other ${index}`)
  await new ContactSynchronizer(kith).sync([...others, 'bob'])
  for (const other of others) await turn([other])
  for (let times = 0; times < 3; times++) await turn(['bob'])
  expect(errors.map(({ code, addresses }) => [code, addresses])).toEqual([['sync-turns-back', ['bob']]])
})

test('[R3] sync of the same phone book turns nothing, also after contacts were removed and added again once', async () => {
  const alice = await withoutAutoSync()
  const errors: KithError[] = []
  alice.on('error', error => errors.push(error))
  const syncer = new ContactSynchronizer(alice)
  syncer.setProfileAccessLevels([1])
  await syncer.sync(['bob'])
  await alice.getProfile('bob').remove()
  expect(await syncer.sync(['bob'])).toEqual({ added: 1, updated: 0, unchanged: 0, turned: 1, invalid: [] })
  for (let count = 0; count < 5; count++) {
    expect(await syncer.sync(['bob'])).toEqual({ added: 0, updated: 0, unchanged: 1, invalid: [] })
  }
  expect(errors).toEqual([])
})
