import { ContactSynchronizer, type Kith, type SyncProgress } from '@kith/client'
import { describe, expect, test } from 'vitest'
import { coreOf } from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'
import { setLimits } from '../support/set-limits.ts'
import { unhandledRejections } from '../support/unhandled-rejections.ts'

/** A device on which an access to a profile writes nothing. */
async function quiet(): Promise<Kith> {
  const kith = await installation('alice').open()
  await kith.enableAutoSyncContacts(false)
  return kith
}

const none = { added: 0, updated: 0, unchanged: 0, invalid: [] }
const one = { ...none, added: 1 }

function levelsOf(kith: Kith, ...ids: string[]): (readonly number[])[] {
  return ids.map(id => coreOf(kith).shown.profile(id).accessLevels)
}

describe('calls at the same time', () => {
  test('each call of sync resolves to its own counts and its own rejected addresses', async () => {
    const syncer = new ContactSynchronizer(await quiet())
    const [first, second, third] = await Promise.all([
      syncer.sync(['bob', '']),
      syncer.sync(['carol', 'bob', 'alice']),
      syncer.syncNow(),
    ])
    expect(first).toEqual({ ...one, invalid: [{ input: '', reason: 'malformed' }] })
    expect(second).toEqual({ ...one, unchanged: 1, invalid: [{ input: 'alice', reason: 'self' }] })
    expect(third).toEqual(none)
  })

  test('[D5] each call of sync whose contacts do not fit rejects, and no later call writes them', async () => {
    const kith = await quiet()
    const { rosterBytes } = coreOf(kith).store.documents.limits
    await setLimits(kith, { rosterBytes: 10 })
    const syncer = new ContactSynchronizer(kith)
    const results = await Promise.allSettled([syncer.sync(['bob']), syncer.sync(['carol'])])
    expect(results).toMatchObject(Array(2).fill({ status: 'rejected', reason: { code: 'roster-too-large' } }))
    await setLimits(kith, { rosterBytes })
    expect(await syncer.sync(['dave'])).toEqual(one)
    expect((await kith.getContacts()).map(({ id }) => id)).toEqual(['dave'])
  })

  test('of several calls, the first one writes what was queued before it, and each contact is written as it was said last', async () => {
    const kith = await quiet()
    const syncer = new ContactSynchronizer(kith).setProfileAccessLevels([1])
    const queued = syncer.sync(['bob', 'carol'], false)
    syncer.setProfileAccessLevels([2])
    const writing = [syncer.sync(['carol']), syncer.sync(['dave'])]
    syncer.setProfileAccessLevels([3])
    const later = syncer.sync(['dave'], false)
    expect(await Promise.all(writing)).toEqual([{ ...none, added: 2 }, one])
    expect([await queued, await later]).toEqual([none, none])
    expect(levelsOf(kith, 'bob', 'carol', 'dave')).toEqual([[1], [2], [2]])
    expect(await syncer.syncNow()).toEqual({ ...none, updated: 1 })
    expect(levelsOf(kith, 'dave')).toEqual([[3]])
  })
})

describe('a callback that throws', () => {
  test('[D5] sync resolves although onProgress throws, the error is reported, and nothing is applied again', async () => {
    const kith = await quiet()
    const errors = unhandledRejections()
    const stages: SyncProgress['stage'][] = []
    const onProgress = ({ stage }: SyncProgress): void => {
      stages.push(stage)
      throw new Error('of the app')
    }
    const syncer = new ContactSynchronizer(kith, { onProgress }).setProfileAccessLevels([1])
    expect(await syncer.sync(['bob'])).toEqual(one)
    expect(stages).toEqual(['reading', 'writing', 'writing'])
    await expect.poll(() => errors).toHaveLength(3)
    await kith.getProfile('bob').setProfileAccessLevels([]).save()
    expect(await syncer.sync(['carol'])).toEqual(one)
    expect(levelsOf(kith, 'bob', 'carol')).toEqual([[], [1]])
    await expect.poll(() => errors).toHaveLength(6)
  })

  test('a queued call whose addresses cannot be read rejects, and later calls write the rest of the queue', async () => {
    const kith = await quiet()
    const syncer = new ContactSynchronizer(kith, { phoneNumbers: { region: 'XX' } })
    const queued = syncer.sync(['bob'], false)
    const now = syncer.syncNow()
    await expect(queued).rejects.toThrow(TypeError)
    expect([await now, await syncer.syncNow()]).toEqual([none, none])
    await expect(syncer.sync(['bob'])).rejects.toThrow(TypeError)
    expect(await syncer.syncNow()).toEqual(none)
  })
})

describe('null levels after subscribe(true)', () => {
  test('[R3] the same null sync writes nothing the second time, and follows nobody', async () => {
    const kith = await quiet()
    const syncer = new ContactSynchronizer(kith).subscribe(true).setProfileAccessLevels(null)
    await kith.getProfile('carol').subscribe(true).save()
    const { unsent } = kith
    for (let round = 0; round < 3; round++) {
      expect(await syncer.sync(['bob', 'carol'])).toEqual({ ...none, unchanged: 2 })
    }
    expect(kith.unsent).toBe(unsent)
    expect(['bob', 'carol'].map(id => kith.getProfile(id).isSubscribed)).toEqual([false, true])
  })

  test('[R5] a follow that an earlier call of the same queue begins is ended by a later one', async () => {
    const kith = await quiet()
    const syncer = new ContactSynchronizer(kith).subscribe(true).setProfileAccessLevels([1])
    await syncer.sync(['bob', 'carol'], false)
    syncer.setProfileAccessLevels(null)
    await syncer.sync(['bob'], false)
    expect(await syncer.syncNow()).toEqual({ ...one, unchanged: 1 })
    expect(['bob', 'carol'].map(id => kith.getProfile(id).isSubscribed)).toEqual([false, true])
  })

  test('a queue that follows a user who is no contact adds no contact', async () => {
    const kith = await quiet()
    const syncer = new ContactSynchronizer(kith).subscribe(true).setProfileAccessLevels(null)
    await syncer.syncAsUpdate(['bob'], false)
    await syncer.syncAsUpdate(['carol'], false)
    expect(await syncer.syncNow()).toEqual({ ...none, updated: 2 })
  })
})
