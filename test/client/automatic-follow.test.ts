import type { Kith } from '@kith/client'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { coreOf } from '../support/client-internals.ts'
import { fullDisk } from '../support/full-disk.ts'
import { setLimits } from '../support/set-limits.ts'

for (const [why, code] of [
  ['does not fit into the roster', 'roster-too-large'],
  ['cannot be stored', 'database-failed'],
] as const) {
  test(`[S3] messages of a user whose automatic follow ${why} are shown and acknowledged, and the session goes on`, async () => {
    const { device, open } = await backend()
    const shared = { indexedDB: new IDBFactory(), ...sharedByTabs() }
    const [bob, tab] = [await open('bob', shared), await open('bob', shared)]
    await bob.ownProfile.set('name', 'Bob')
    await Promise.all([bob.whenSynced(), tab.whenSynced()])
    const alice = await device('alice')
    await alice.getProfile('bob').loaded
    await alice.whenSynced()
    const errors = [bob, tab].map(codesOf)
    const statuses: string[] = []
    bob.on('status', status => statuses.push(status))
    const received: string[] = []
    bob.on('message', ({ text }) => received.push(text))
    if (code === 'database-failed') fullDisk(({ transaction }) => transaction.db.name.endsWith('bob'))
    else await setLimits(bob, { rosterBytes: 10 })
    const sent = await Promise.all(['one', 'two', 'three'].map(text => alice.send('bob', text)))
    expect([sent, received]).toEqual([Array(3).fill('delivered'), ['one', 'two', 'three']])
    await expect.poll(() => errors.map(codes => new Set(codes))).toEqual([new Set([code]), new Set([code])])
    expect(statuses).toEqual([])
  })
}

test('loaded resolves when the profile is there although the automatic follow does not fit, which is reported', async () => {
  const { device } = await backend()
  const bob = await device('bob')
  await bob.ownProfile.set('name', 'Bob')
  await bob.whenSynced()
  const alice = await device('alice')
  await alice.whenSynced()
  await setLimits(alice, { rosterBytes: 10 })
  const errors = codesOf(alice)
  const profile = alice.getProfile('bob')
  await profile.loaded
  expect([profile.get('name'), profile.isSubscribed, errors]).toEqual(['Bob', false, ['roster-too-large']])
})

test('an access whose parts all fail for one reason is reported once', async () => {
  const { device } = await backend()
  const alice = await device('alice')
  await alice.whenSynced()
  const errors = codesOf(alice)
  const { store } = coreOf(alice)
  const failing = (): Promise<never> => Promise.reject(new Error('The storage does not answer'))
  Object.assign(store, { work: failing, use: failing })
  await alice.getProfile('bob').loaded
  Reflect.deleteProperty(store, 'work')
  Reflect.deleteProperty(store, 'use')
  expect(errors).toEqual(['database-failed'])
})

function codesOf(kith: Kith): string[] {
  const codes: string[] = []
  kith.on('error', ({ code }) => codes.push(code))
  return codes
}
