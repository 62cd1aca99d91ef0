import { ContactSynchronizer, type Kith, type KithError } from '@kith/client'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { backend } from '../support/backend.ts'
import { coreOf, edit } from '../support/client-internals.ts'

const mine = 'mine'

/** A closed device that has exchanged everything with one server, and the content of its documents. */
interface Device {
  indexedDB: IDBFactory
  databaseName: string
}

function device(): Device {
  return { indexedDB: new IDBFactory(), databaseName: mine }
}

function errorsOf(kith: Kith): KithError[] {
  const errors: KithError[] = []
  kith.on('error', error => errors.push(error))
  return errors
}

/** The labels of the contacts, as they are shown. */
function labelsOf(kith: Kith): Map<string, string> {
  return new Map(coreOf(kith).store.documents.roster.view.entries('labels') as Iterable<[string, string]>)
}

const levels = 16
const photo = (level: number): Uint8Array => new Uint8Array(60_000).fill(level)

/** Every value is within its limit, but the document with its history is larger than a frame. */
async function fillProfile(kith: Kith): Promise<void> {
  for (let level = 0; level < levels; level++) {
    for (let index = 0; index < 75; index++) {
      await kith.ownProfile.set(`a field with a long name that is removed later on ${index}`, level, { level })
    }
    for (let index = 0; index < 75; index++) {
      await kith.ownProfile.unset(`a field with a long name that is removed later on ${index}`, { level })
    }
    await kith.ownProfile.set('photo', photo(level), { level })
  }
  kith.connect()
  await kith.whenSynced()
}

for (const isUnsent of [false, true]) {
  test(`[D6] a profile larger than a frame is restored completely on an empty server, ${isUnsent ? 'with' : 'without'} an unsent change`, async () => {
    const [old, fresh] = [await backend(), await backend()]
    const phone = device()
    const before = await old.open('alice', { ...phone, connect: false })
    await fillProfile(before)
    await before.close()

    const alice = await fresh.open('alice', { ...phone, connect: false })
    const errors = errorsOf(alice)
    if (isUnsent) await alice.ownProfile.set('name', 'Ada')
    alice.connect()
    await alice.whenSynced()
    expect(errors).toEqual([])
    expect([alice.status, alice.unsent]).toEqual(['synced', 0])
    const other = await fresh.device('alice')
    await other.whenSynced()
    for (const kith of [alice, other]) {
      for (let level = 0; level < levels; level++) expect(kith.ownProfile.get('photo', { level })).toEqual(photo(level))
      expect(kith.ownProfile.get('name')).toBe(isUnsent ? 'Ada' : undefined)
    }
  }, 240_000)
}

const people = Array.from({ length: 30 }, (_, index) => `person-${index}`)
const tooLong = 'a label of more than twenty bytes'

async function labelAll(kith: Kith): Promise<void> {
  for (const [index, id] of people.entries()) {
    const person = kith.getProfile(id)
    person.setProfileAccessLevels([1])
    person.setLabel(index === 7 ? tooLong : `label ${index}`)
    await person.save()
  }
  await kith.whenSynced()
}

for (const isUnsent of [false, true]) {
  test(`[D6] of thirty contacts, one label beyond a lowered limit stays on the devices and is reported once, ${isUnsent ? 'with' : 'without'} an unsent change`, async () => {
    const [old, fresh] = [await backend(), await backend({ labelBytes: 20 })]
    const devices = [device(), device()]
    const first = await old.open('alice', devices[0] as Device)
    await labelAll(first)
    const second = await old.open('alice', devices[1] as Device)
    await second.whenSynced()
    const all = labelsOf(second)
    expect(all.size).toBe(30)
    for (const kith of [first, second]) await kith.close()

    for (const [count, phone] of devices.entries()) {
      const alice = await fresh.open('alice', { ...phone, connect: false })
      const errors = errorsOf(alice)
      if (isUnsent) await alice.ownProfile.set(`field ${count}`, 'Ada')
      alice.connect()
      await expect(alice.whenSynced()).rejects.toMatchObject({ code: 'label-too-long' })
      await alice.whenSynced()
      expect(errors.map(({ code, addresses }) => [code, addresses])).toEqual([['label-too-long', ['person-7']]])
      expect([alice.status, alice.unsent]).toEqual(['syncing', 1])
      expect(labelsOf(alice)).toEqual(all)
      // In the next session it is not reported again.
      alice.disconnect()
      alice.connect()
      await alice.whenSynced()
      expect([errors.length, alice.unsent]).toEqual([1, 1])
      await alice.close()
    }
    const other = await fresh.device('alice')
    await other.whenSynced()
    expect(labelsOf(other)).toEqual(new Map([...all].filter(([id]) => id !== 'person-7')))
    for (const id of people) expect(other.getProfile(id).accessLevels).toEqual([1])

    // Another server accepts it.
    const raised = await backend()
    const again = await raised.open('alice', devices[0] as Device)
    const errors = errorsOf(again)
    await again.whenSynced()
    expect([again.status, again.unsent, errors]).toEqual(['synced', 0, []])
    const third = await raised.device('alice')
    await third.whenSynced()
    expect(labelsOf(third)).toEqual(all)
  }, 60_000)
}

test('[D6] a roster larger than a piece is restored completely, and a removal by a device that was away counts', async () => {
  const [old, fresh] = [await backend(), await backend()]
  const devices = [device(), device()]
  const ids = Array.from({ length: 9_000 }, (_, index) => `person-${index}`)
  const first = await old.open('alice', devices[0] as Device)
  const syncer = new ContactSynchronizer(first)
  syncer.setProfileAccessLevels([1, 2])
  await syncer.sync(ids)
  await first.whenSynced()
  const second = await old.open('alice', devices[1] as Device)
  await second.whenSynced()
  for (const kith of [first, second]) await kith.close()

  const away = await fresh.open('alice', { ...(devices[1] as Device), connect: false })
  const person = away.getProfile('person-4')
  person.setProfileAccessLevels([2])
  await person.save()
  const alice = await fresh.open('alice', devices[0] as Device)
  await alice.whenSynced()
  expect([alice.status, alice.unsent]).toEqual(['synced', 0])
  away.connect()
  await away.whenSynced()
  await alice.whenSynced()
  const other = await fresh.device('alice')
  await other.whenSynced()
  for (const kith of [alice, away, other]) {
    expect([...coreOf(kith).store.documents.roster.view.entries('grants')].length).toBe(2 * ids.length - 1)
    expect(kith.getProfile('person-4').accessLevels).toEqual([2])
  }
}, 60_000)

for (const isUnsent of [false, true]) {
  test(`[D6] a hundred labels that two devices wrote concurrently once a day for 62 days are restored on an empty server, ${isUnsent ? 'with' : 'without'} an unsent change`, async () => {
    const [old, fresh] = [await backend(), await backend()]
    const devices = [device(), device()]
    const [one, two] = [await old.open('alice', devices[0] as Device), await old.open('alice', devices[1] as Device)]
    const syncer = new ContactSynchronizer(one)
    await syncer.sync(Array.from({ length: 100 }, (_, index) => `person-${index}`))
    for (let day = 0; day < 62; day++) {
      for (const kith of [one, two]) await kith.whenSynced()
      for (const kith of [one, two]) kith.disconnect()
      for (const kith of [one, two]) await labelEveryone(kith, `${kith === one ? 'one' : 'two'} ${day}`)
      for (const kith of [one, two]) kith.connect()
    }
    for (const kith of [one, two, one]) await kith.whenSynced()
    const all = labelsOf(one)
    expect([all.size, labelsOf(two)]).toEqual([100, all])
    for (const kith of [one, two]) await kith.close()

    for (const phone of devices) {
      const alice = await fresh.open('alice', { ...phone, connect: false })
      const errors = errorsOf(alice)
      if (isUnsent) await alice.setPublicAudience('contacts')
      alice.connect()
      await alice.whenSynced()
      expect([labelsOf(alice), alice.unsent, errors]).toEqual([all, 0, []])
    }
    const other = await fresh.device('alice')
    await other.whenSynced()
    expect(labelsOf(other)).toEqual(all)
    expect(other.publicAudience).toBe(isUnsent ? 'contacts' : 'everyone')
  }, 120_000)
}

async function labelEveryone(kith: Kith, label: string): Promise<void> {
  const changes = Array.from({ length: 100 }, (_, index) => ({
    root: 'labels',
    key: `person-${index}`,
    value: `${label} ${index}`,
  }))
  await edit(coreOf(kith).store, 'roster', () => changes)
}
