import type { Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import {
  applyChanges,
  flatMapsOf,
  founderOf,
  generationOf,
  type KeyChange,
  type Limits,
  rosterBytes,
} from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { accountsOver, type WritingDevice } from '../support/account-world.ts'
import { bytesPerStruct } from '../support/server-internals.ts'
import { dayMs, newDatabase, storeOver } from '../support/stores.ts'

interface Owner {
  clock: TestClock
  device: WritingDevice
  /** Changes the stored roster, each time as another client. */
  change(changes: readonly KeyChange[]): Promise<void>
  /** Refounds the roster, even if its history is small. */
  refound(): Promise<void>
  stored(): Promise<Y.Doc>
  generation(): Promise<number>
}

async function owner(limits: Partial<Limits>, on?: Store): Promise<Owner> {
  const clock = new TestClock()
  const store = on ?? storeOver(await newDatabase('memory'), clock)
  const { accounts, documents, device: deviceOf } = accountsOver(store, clock, limits)
  const device = deviceOf('alice')
  device.connect()
  const stored = async (): Promise<Y.Doc> => {
    const doc = new Y.Doc()
    for (const part of (await store.document('alice', 'roster')).parts) Y.applyUpdateV2(doc, part)
    return doc
  }
  await accounts.idle()
  return {
    ...{ clock, device, stored },
    async change(changes) {
      // As after half a minute without a change.
      documents.discard('alice')
      const doc = await stored()
      doc.on('update', (update: Uint8Array) => device.send('roster', update))
      applyChanges(doc, changes)
      await accounts.idle()
    },
    refound: () => accounts.refound('alice', 'roster'),
    generation: async () => generationOf(founderOf((await stored()).store.clients.keys())),
  }
}

const declined = (count: number, name = 'stranger'): KeyChange[] =>
  Array.from({ length: count }, (_, index) => ({ root: 'declined', key: `${name} ${index}`, value: true }))

test('[D4] a roster whose declined users take a quarter of refoundBytes is refounded without other history, which notes the day, and they lapse two years later', async () => {
  const { clock, device, change, stored, generation } = await owner({ refoundBytes: 4096 })
  await change(declined(30))
  expect(await generation()).toBe(0)
  await change(declined(80))
  expect([await generation(), (await stored()).getMap('declined').size]).toEqual([1, 80])
  clock.leap(730 * dayMs)
  for (const value of ['Bob', 'Bobby']) {
    await change([{ root: 'labels', key: 'bob', value }])
    expect(await generation()).toBe(1)
    clock.leap(dayMs)
  }
  await change([{ root: 'labels', key: 'bob', value: 'Robert' }])
  expect([await generation(), (await stored()).getMap('declined').size]).toEqual([2, 0])
  expect((await stored()).getMap('labels').toJSON()).toEqual({ bob: 'Robert' })
  expect(device.failures).toEqual([])
})

test('[D4] a clock that is years ahead for less than a day has no roster refounded, and removes no declined user from one that is', async () => {
  const { clock, refound, change, stored, generation } = await owner({ refoundBytes: 4096 })
  await change(declined(80))
  expect([await generation(), (await stored()).getMap('declined').size]).toEqual([1, 80])
  clock.leap(1_100 * dayMs)
  await change([{ root: 'labels', key: 'bob', value: 'Bob' }])
  await change([{ root: 'labels', key: 'bob', value: 'Robert' }])
  expect(await generation()).toBe(1)
  await refound()
  clock.leap(-1_100 * dayMs)
  for (const value of ['Rob', 'Bert']) await change([{ root: 'labels', key: 'bob', value }])
  expect([await generation(), (await stored()).getMap('declined').size]).toEqual([2, 80])
})

test('[D4] a roster of whose declined users none may lapse is refounded once in two years, and not with each change', async () => {
  const { clock, change, stored, generation } = await owner({ refoundBytes: 4096 })
  const met: KeyChange[] = declined(60).map(({ key }) => ({ root: 'subscriptions', key, value: true }))
  await change([...declined(60), ...met])
  for (let generations = 1; generations <= 2; generations++) {
    for (let time = 0; time < 5; time++) {
      await change([{ root: 'labels', key: 'bob', value: `label ${time}` }])
      expect(await generation()).toBe(generations)
    }
    for (const days of [800, 1]) {
      clock.leap(days * dayMs)
      await change([{ root: 'labels', key: 'bob', value: `label in ${days} days` }])
    }
    clock.leap(dayMs)
  }
  expect((await stored()).getMap('declined').size).toBe(60)
})

test('[D4] declined users do not have a roster refounded where refoundBytes is set beyond all documents', async () => {
  const { clock, change, generation } = await owner({ refoundBytes: 2 ** 40, rosterBytes: 100_000, historyBytes: 1 })
  await change(declined(1_000))
  clock.leap(800 * dayMs)
  await change(declined(1_001))
  expect(await generation()).toBe(0)
})

/** Labels of 50 of 200 people, in rotation. All labels together take most of the roster's limit below. */
function labels(time: number): KeyChange[] {
  const text = String.fromCharCode(97 + (Math.floor(time / 4) % 26)).repeat(100)
  return Array.from({ length: 50 }, (_, index) => ({
    root: 'labels',
    key: `person ${50 * (time % 4) + index}`,
    value: text,
  }))
}

/** The safety bound is at least twice the limit of the content. */
const tight = { rosterBytes: 32_768, historyBytes: 1 }

/** How much the history of a roster weighs, as a multiple of its content. */
function historyOf(doc: Y.Doc): number {
  let structs = 0
  for (const ofClient of doc.store.clients.values()) structs += ofClient.length
  const bytes = Math.max(Y.encodeStateAsUpdateV2(doc).length, bytesPerStruct * structs)
  return bytes / rosterBytes(flatMapsOf(doc)) - 1
}

test('[R4] a roster is refounded when its history weighs four times as much as its content, and not before', async () => {
  const { device, change, stored, generation } = await owner({ refoundBytes: 512 })
  const people = Array.from({ length: 10 }, (_, index) => `person ${index}${' with a long id'.repeat(6)}`)
  await change(people.map(key => ({ root: 'labels', key, value: 'label'.padEnd(40) })))
  let before = 0
  for (let time = 0; (await generation()) === 0; time++) {
    before = historyOf(await stored())
    const value = `label ${time}`.padEnd(40)
    await change(people.slice(time % 8, (time % 8) + 3).map(key => ({ root: 'labels', key, value })))
    expect(device.refused).toEqual([])
  }
  // The document is looked at when it has grown by an eighth.
  expect(before).toBeGreaterThan(3.7)
  expect(before).toBeLessThan(4.7)
  expect(historyOf(await stored())).toBeLessThan(before / 2)
})

test('[S3] a roster as large as it may be is refounded before its history is refused, however low historyBytes is set', async () => {
  const { device, change, stored, generation } = await owner({ ...tight, refoundBytes: 4096 })
  for (let time = 0; time < 200; time++) await change(labels(time))
  expect(device.refused).toEqual([])
  expect(device.failures).toEqual([])
  expect(await generation()).toBeGreaterThan(2)
  const doc = await stored()
  expect(doc.getMap('labels').size).toBe(200)
  expect(doc.getMap('labels').get('person 199')).toBe(labels(199)[49]?.value)
})

test('[S3] a roster whose history had reached its bound before this version is refounded at the first change that is refused', async () => {
  const store = storeOver(await newDatabase('memory'), new TestClock())
  const before = await owner({ ...tight, refoundBytes: 2 ** 40 }, store)
  for (let time = 0; time < 200 && before.device.refused.length === 0; time++) await before.change(labels(time))
  expect(before.device.refused).toMatchObject([{ code: 'roster-too-large' }])
  const { device, change, generation } = await owner({ ...tight, refoundBytes: 4096 }, store)
  await change(labels(0))
  expect(device.refused).toMatchObject([{ code: 'roster-too-large' }])
  expect(await generation()).toBe(1)
  await change(labels(1))
  expect(device.refused).toHaveLength(1)
})
