import { ContactSynchronizer, type Kith } from '@kith/client'
import { openMemoryStore } from '@kith/server'
import { startTestServer } from '@kith/server/testing'
import { defaultLimits, founderOf, generationOf } from '@kith/shared'
import { IDBFactory } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { Calendar } from '../../bench/src/long-life/calendar.ts'
import { coreOf, edit } from '../support/client-internals.ts'
import { devicesOf } from '../support/devices.ts'
import { userChange } from '../support/server-internals.ts'

const roots = ['contacts', 'labels', 'grants', 'subscriptions', 'declined', 'privacy', 'settings', 'blocks']

function contentOf(kith: Kith): object {
  const { roster, profile } = coreOf(kith).store.documents
  const rosterOf = roots.map(root => [root, roster.doc.getMap(root).toJSON()])
  return { ...Object.fromEntries(rosterOf), fields: profile.doc.getMap('fields').toJSON() }
}

function generations(kith: Kith): { roster: number; profile: number } {
  const { roster, profile } = coreOf(kith).store.documents
  const of = (doc: typeof roster.doc): number => generationOf(founderOf(doc.store.clients.keys()))
  return { roster: of(roster.doc), profile: of(profile.doc) }
}

async function granting(kith: Kith, id: string, levels: readonly number[] | null, label?: string): Promise<void> {
  const one = kith.getProfile(id).setProfileAccessLevels(levels)
  if (label !== undefined) one.setLabel(label)
  await one.save()
}

function syncing(kith: Kith, levels: number[], book: string[]): Promise<unknown> {
  return new ContactSynchronizer(kith).setProfileAccessLevels(levels).sync(book)
}

/** Writes enough history in both documents that they are refounded. */
async function quarter(phone: Kith, number: number): Promise<void> {
  for (let time = 0; time < 30; time++) {
    const labelled = edit(coreOf(phone).store, 'roster', () =>
      Array.from({ length: 20 }, (_, index) => ({
        root: 'labels',
        key: `friend-${index}`,
        value: `label ${time} of ${index} in quarter ${number}`,
      })),
    )
    const moods = Array.from({ length: 10 }, (_, index) =>
      phone.ownProfile.set(`mood ${index}`, `${time} in quarter ${number}`),
    )
    await Promise.all([labelled, ...moods])
    // Changes that are overwritten before they are sent leave less history.
    if (time % 3 === 2) await phone.whenSynced()
  }
  await expect.poll(() => generations(phone).roster, { timeout: 20_000 }).toBeGreaterThanOrEqual(number)
  await phone.whenSynced()
}

test('[R1][R2][R3][R4][R5][R6][V7] a device that was away for a year, through four generations of the roster and two of the profile, brings what it changed, and nothing removed returns', async () => {
  const clock = new Calendar(400)
  const limits = { ...defaultLimits, refoundBytes: 4096 }
  const store = await openMemoryStore({ limits, clock })
  const server = await startTestServer({ limits, clock, store })
  onTestFinished(() => server.close())
  const devices = devicesOf(server)
  const storage = { indexedDB: new IDBFactory(), databaseName: 'tablet' }
  const [phone, before, bob] = await Promise.all([
    devices.open('alice'),
    devices.open('alice', storage),
    devices.open('bob'),
  ])

  // The content of both devices before the year.
  await bob.ownProfile.set('phone', '+441632960001', { level: 1 })
  await granting(bob, 'alice', [1])
  await granting(phone, 'gone', [3], 'removed by the phone')
  await granting(phone, 'dropped', [3], 'removed by the tablet')
  await granting(phone, 'book', [1])
  await granting(phone, 'narrowed', [1, 2])
  for (const name of ['unset', 'both']) await phone.ownProfile.set(name, 'as it was', { level: 2 })
  for (const one of [bob, phone, before, phone]) await one.whenSynced()
  await expect.poll(() => contentOf(before)).toEqual(contentOf(phone))
  await expect.poll(() => before.getProfile('bob').get('phone')).toBe('+441632960001')
  await before.close()

  // The tablet's offline changes.
  const tablet = await devices.open('alice', { ...storage, connect: false })
  await granting(tablet, 'new', [4], 'added while away')
  await granting(tablet, 'dropped', null)
  await tablet.getProfile('enemy').block(true).save()
  await tablet.setPublicAudience('nobody')
  await syncing(tablet, [1, 2], ['book'])
  await syncing(tablet, [1, 2], ['narrowed'])
  await new ContactSynchronizer(tablet).setProfileAccessLevels([6]).syncAsUpdate(['updated'])
  await tablet.ownProfile.set('both', 'set while away', { level: 2 })
  await tablet.ownProfile.set('mine', 'set while away', { level: 5 })

  // One year of the phone and of Bob.
  await phone.getProfile('gone').remove()
  await phone.getProfile('dropped').setLabel('named anew').save()
  await granting(phone, 'enemy', [1])
  await syncing(phone, [3], ['book'])
  await syncing(phone, [1], ['narrowed'])
  await phone.ownProfile.unset('unset', { level: 2 })
  await phone.ownProfile.unset('both', { level: 2 })
  await granting(bob, 'alice', [])
  await bob.whenSynced()
  for (let number = 1; number <= 4; number++) {
    await quarter(phone, number)
    for (let day = 0; day < 92; day++) {
      clock.passDay()
      await store.commit(userChange('daily', { restricted: day % 2 === 0 }))
    }
  }

  tablet.connect()
  await tablet.whenSynced()
  await phone.whenSynced()
  await expect.poll(() => contentOf(phone)).toEqual(contentOf(tablet)) // [R1]
  expect(generations(tablet)).toEqual(generations(phone))
  expect(generations(phone).profile).toBeGreaterThanOrEqual(2)
  for (const kith of [phone, tablet, await devices.open('alice')]) {
    await kith.whenSynced()
    // Checked before a profile is looked at, because this follows its owner.
    expect(kith.unsent).toBe(0)
    const levelsOf = (id: string): readonly number[] => kith.getProfile(id).accessLevels
    expect([kith.getProfile('new').label, levelsOf('new')]).toEqual(['added while away', [4]])
    expect(levelsOf('updated')).toEqual([6])
    expect(levelsOf('book')).toEqual([2, 3]) // [R2]
    expect(levelsOf('narrowed')).toEqual([1]) // [R3]
    expect([kith.getProfile('enemy').isBlocked, kith.publicAudience]).toEqual([true, 'nobody']) // [R4]
    expect(kith.getProfile('friend-7').label).toBe('label 29 of 7 in quarter 4') // [R5]
    expect(kith.ownProfile.get('both', { level: 2 })).toBe('set while away') // [R6]
    expect(kith.ownProfile.get('mine', { level: 5 })).toBe('set while away')
    expect(kith.ownProfile.get('unset', { level: 2 })).toBeUndefined()
    expect([kith.getProfile('gone').label, levelsOf('gone'), levelsOf('dropped')]).toEqual([undefined, [], []])
    await kith.getProfile('bob').loaded
    expect(kith.getProfile('bob').fields).toEqual({}) // [V7]
  }
}, 180_000)
