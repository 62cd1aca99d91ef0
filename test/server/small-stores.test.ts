import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { partsOf, ranges, rosterChange, StoredDocument, storeOn, userChange } from '../support/server-internals.ts'
import { limitsWith, newDatabase } from '../support/stores.ts'

/** What keeps a store small over the years if nothing lapses. */

test('[D4] a user whom rosters only name has no record, and one who was granted a level has one as long as the grant stands', async () => {
  const database = await newDatabase('memory')
  const store = await storeOn(database, { limits: limitsWith(), clock: new TestClock() })
  const recorded = async (): Promise<unknown[]> => (await database.keys(ranges.users).all()).map(key => partsOf(key)[1])
  await store.commit(userChange('alice'))
  const named = { isContact: true }
  const facts = { contact: named, followed: { isSubscribed: true }, blocked: { isBlocked: true } }
  await store.commit(rosterChange('alice', { ...facts, granted: { levels: [1] } }))
  expect(await recorded()).toEqual(['alice', 'granted'])
  await store.commit(rosterChange('alice', { granted: named }))
  expect(await recorded()).toEqual(['alice'])
  await store.close()
})

test('[D4] the log of a document is folded as soon as it is larger than the document and than 32 KiB, and not before', () => {
  const stored = new StoredDocument('roster', [])
  const device = new Y.Doc()
  const disk = { snapshot: 0, log: 0, folds: 0 }
  device.on('update', (update: Uint8Array) => {
    const applied = stored.apply(apply => apply(update))
    if (!applied) throw new Error('nothing was applied')
    const { update: logged, snapshot } = applied.stored
    const log = disk.log + logged.length
    expect(snapshot !== undefined).toBe(log > Math.max(32 * 1024, disk.snapshot))
    disk.log = snapshot ? 0 : log
    disk.snapshot = snapshot?.length ?? disk.snapshot
    if (snapshot) disk.folds++
  })
  // At the end, the document has about 90 KB, and its history has as many structs as there were changes.
  for (let time = 0; time < 2_000; time++) device.getMap('labels').set(`person ${time % 400}`, `${time} `.repeat(40))
  expect(disk.folds).toBeGreaterThan(4)
  expect(disk.snapshot).toBeGreaterThan(64 * 1024)
})
