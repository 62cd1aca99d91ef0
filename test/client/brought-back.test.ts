import { ContactSynchronizer, type Kith } from '@kith/client'
import type { Store } from '@kith/server'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { backend } from '../support/backend.ts'

async function settled(kith: Kith): Promise<void> {
  for (;;) {
    try {
      return await kith.whenSynced()
    } catch {
      // A refusal, which is reported once.
    }
  }
}

/** Two devices with the same content. The first one has built its roster on the state of an empty server that refused it. */
async function rebuilt(): Promise<{
  phone: Kith
  openAgain(device: 'phone' | 'laptop'): Promise<Kith>
  openOther(): Promise<Kith>
}> {
  const old = await backend()
  const [phone, laptop] = [1, 2].map(() => ({ indexedDB: new IDBFactory(), databaseName: 'mine' })) as [object, object]
  const first = await old.open('alice', phone)
  const syncer = new ContactSynchronizer(first)
  syncer.setProfileAccessLevels([1])
  await syncer.sync(['bob', 'carol', 'dave'])
  for (const [id, label] of [
    ['bob', 'Bob'],
    ['carol', 'a label that is too long'],
  ] as const) {
    const person = first.getProfile(id)
    person.setLabel(label)
    await person.save()
  }
  await first.whenSynced()
  const second = await old.open('alice', laptop)
  await second.whenSynced()
  for (const kith of [first, second]) await kith.close()

  let store: Store | undefined
  const small = await backend({ labelBytes: 10 }, own => {
    store = own
    return own
  })
  const large = await backend({}, own => store ?? own)
  const rebuilt = await small.open('alice', phone)
  await settled(rebuilt)
  await settled(rebuilt)
  return {
    phone: rebuilt,
    openAgain: device => large.open('alice', device === 'phone' ? phone : laptop),
    openOther: () => large.device('alice'),
  }
}

test('[D6] what a device revokes, removes and renames after it made its contacts again stays so when another device brings the originals back', async () => {
  const { phone: before, openAgain, openOther } = await rebuilt()
  const [bob, dave] = [before.getProfile('bob'), before.getProfile('dave')]
  bob.setProfileAccessLevels([])
  bob.setLabel('Robert')
  await bob.save()
  await dave.remove()
  await settled(before)
  await before.close()
  const laptop = await openAgain('laptop')
  await laptop.whenSynced()
  const phone = await openAgain('phone')
  await phone.whenSynced()
  await phone.whenSynced()
  await laptop.whenSynced()
  const other = await openOther()
  await other.whenSynced()
  for (const kith of [phone, laptop, other]) {
    const [bob, carol, dave] = ['bob', 'carol', 'dave'].map(id => kith.getProfile(id))
    expect([bob?.label, bob?.accessLevels]).toEqual(['Robert', []])
    expect([carol?.label, carol?.accessLevels]).toEqual(['a label that is too long', [1]])
    expect([dave?.isContact, dave?.accessLevels]).toEqual([false, []])
  }
}, 60_000)
