import type { Kith } from '@kith/client'
import { founderOf, generationOf, type Limits } from '@kith/shared'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { type Backend, backend } from '../support/backend.ts'
import { coreOf, edit } from '../support/client-internals.ts'

type Name = 'roster' | 'profile'

function device(): { indexedDB: IDBFactory; databaseName: string } {
  return { indexedDB: new IDBFactory(), databaseName: 'mine' }
}

function documentOf(kith: Kith, name: Name): Y.Doc {
  return coreOf(kith).store.documents[name].doc
}

function generation(kith: Kith, name: Name = 'roster'): number {
  return generationOf(founderOf(documentOf(kith, name).store.clients.keys()))
}

function contentOf(kith: Kith): object {
  const roots = ['contacts', 'labels', 'grants', 'subscriptions', 'declined', 'blocks', 'privacy', 'settings']
  return Object.fromEntries(roots.map(root => [root, documentOf(kith, 'roster').getMap(root).toJSON()]))
}

function bytesOf(kith: Kith, name: Name = 'roster'): number {
  return Y.encodeStateAsUpdateV2(documentOf(kith, name)).length
}

/** Sets labels of so many people, several times, each time another one: what is left is the last. */
async function relabel(kith: Kith, { people = 20, times = 30, until = '' } = {}): Promise<void> {
  for (let time = 0; time < times; time++) {
    await edit(coreOf(kith).store, 'roster', () =>
      Array.from({ length: people }, (_, index) => ({
        root: 'labels',
        key: `person-${index}`,
        value: `label ${time} of person ${index}${until}`,
      })),
    )
  }
  await kith.whenSynced()
}

async function setLabel(kith: Kith, id: string, label: string): Promise<void> {
  const person = kith.getProfile(id)
  person.setLabel(label)
  await person.save()
}

async function refounded(kith: Kith, count = 1, name: Name = 'roster'): Promise<void> {
  await expect.poll(() => generation(kith, name), { timeout: 10_000 }).toBeGreaterThanOrEqual(count)
  await kith.whenSynced()
}

/** Refounds at 4 KiB of history instead of 256. */
function soon(limits: Partial<Limits> = {}): Promise<Backend> {
  return backend({ refoundBytes: 4096, ...limits })
}

test('[R1][D6] a roster of 20 KiB with 300 KiB of history is founded anew: a connected device and one that was away with unsent edits are equal, and nothing removed comes back', async () => {
  const server = await backend()
  const storage = [device(), device()]
  const [phone, tablet] = await Promise.all(storage.map(one => server.open('alice', one)))
  if (!phone || !tablet) throw new Error('no devices')
  await setLabel(phone, 'gone', 'removed while the tablet is away')
  const granted = phone.getProfile('gone')
  granted.setProfileAccessLevels([3])
  await granted.save()
  await phone.whenSynced()
  await tablet.whenSynced()
  await expect.poll(() => tablet.getProfile('gone').label).toBe('removed while the tablet is away')
  tablet.disconnect()
  await setLabel(tablet, 'kept', 'edited while away')
  await setLabel(tablet, 'person-3', 'edited while away, too')
  const blocked = tablet.getProfile('blocked')
  blocked.block(true)
  await blocked.save()
  await phone.getProfile('gone').remove()
  await relabel(phone, { people: 300, times: 60, until: ' with a long text behind it' })
  await refounded(phone)
  expect(bytesOf(phone)).toBeLessThan(40_000)
  tablet.connect()
  await tablet.whenSynced()
  await phone.whenSynced()
  await expect.poll(() => contentOf(phone)).toEqual(contentOf(tablet))
  expect(generation(tablet)).toBe(generation(phone))
  expect(phone.getProfile('kept').label).toBe('edited while away')
  expect(phone.getProfile('person-3').label).toBe('edited while away, too')
  expect(phone.getProfile('person-4').label).toBe('label 59 of person 4 with a long text behind it')
  expect(phone.getProfile('blocked').isBlocked).toBe(true)
  expect(tablet.getProfile('gone').label).toBeUndefined()
  expect(tablet.getProfile('gone').accessLevels).toEqual([])
  expect([phone.unsent, tablet.unsent]).toEqual([0, 0])
  const other = await server.device('alice')
  await other.whenSynced()
  expect(contentOf(other)).toEqual(contentOf(phone))
}, 120_000)

test('[R1][D5] a device that was away through two generations has its unsent edits in the third', async () => {
  const server = await soon()
  const storage = device()
  const phone = await server.device('alice')
  const tablet = await server.open('alice', storage)
  await setLabel(phone, 'both', 'first')
  await phone.whenSynced()
  await expect.poll(() => tablet.getProfile('both').label).toBe('first')
  await tablet.whenSynced()
  await tablet.close()
  const away = await server.open('alice', { ...storage, connect: false })
  await setLabel(away, 'mine', 'made offline')
  await relabel(phone)
  await refounded(phone, 1)
  await phone.getProfile('both').remove()
  await relabel(phone, { until: ' again' })
  await refounded(phone, 2)
  away.connect()
  await away.whenSynced()
  await phone.whenSynced()
  await expect.poll(() => phone.getProfile('mine').label).toBe('made offline')
  expect(contentOf(away)).toEqual(contentOf(phone))
  expect(away.getProfile('both').label).toBeUndefined()
  expect(away.unsent).toBe(0)
}, 60_000)
