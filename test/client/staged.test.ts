import { ContactSynchronizer, type Kith } from '@kith/client'
import { expect, test } from 'vitest'
import { coreOf } from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'
import { setLimits } from '../support/set-limits.ts'

test('edits staged during a save are written by the next save', async () => {
  const { kith, release } = await held()
  const bob = kith.getProfile('bob')
  bob.setLabel('Bob')
  const saving = bob.save()
  bob.setLabel('Robert')
  bob.setProfileAccessLevels([3])
  release()
  await saving
  expect([bob.label, bob.accessLevels]).toEqual(['Bob', []])
  await bob.save()
  expect([bob.label, bob.accessLevels]).toEqual(['Robert', [3]])
  const { unsent } = kith
  await bob.save()
  expect(kith.unsent, 'and once').toBe(unsent)
})

test('[D5] edits staged while a save fails stay, over the edits of that save', async () => {
  const { kith, release } = await held()
  const bob = kith.getProfile('bob')
  bob.setLabel('x'.repeat(300))
  bob.subscribe(true)
  const saving = bob.save()
  bob.setLabel('Bob')
  release()
  await expect(saving).rejects.toMatchObject({ code: 'label-too-long' })
  expect([bob.label, bob.isSubscribed]).toEqual([undefined, false])
  await bob.save()
  expect([bob.label, bob.isSubscribed]).toEqual(['Bob', true])
})

test('[D5] a save that fails stages nothing again that a later save replaced', async () => {
  const kith = await quiet()
  const bob = kith.getProfile('bob')
  const { rosterBytes } = coreOf(kith).store.documents.limits
  await setLimits(kith, { rosterBytes: 400 })
  const failing = bob
    .setLabel('Bob')
    .setProfileAccessLevels(Array.from({ length: 200 }, (_, level) => level))
    .save()
  const saving = bob.setLabel('Robert').save()
  await expect(failing).rejects.toMatchObject({ code: 'roster-too-large' })
  await saving
  await setLimits(kith, { rosterBytes })
  await bob.subscribe(true).save()
  expect([bob.label, bob.accessLevels.length, bob.isSubscribed]).toEqual(['Robert', 200, true])
})

test('[D5] two saves that fail stage what the later one said', async () => {
  const kith = await quiet()
  const bob = kith.getProfile('bob')
  const { rosterBytes } = coreOf(kith).store.documents.limits
  await setLimits(kith, { rosterBytes: 10 })
  const results = await Promise.allSettled([bob.setLabel('Bob').subscribe(true).save(), bob.setLabel('Robert').save()])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await setLimits(kith, { rosterBytes })
  await bob.save()
  expect([bob.label, bob.isSubscribed]).toEqual(['Robert', true])
})

test.each([
  ['remove', (kith: Kith) => kith.getProfile('bob').remove()],
  ['removeContacts', (kith: Kith) => kith.removeContacts(['bob'])],
])('[D5] a save that fails stages nothing again that %s dropped meanwhile', async (_, remove) => {
  const kith = await quiet()
  const bob = kith.getProfile('bob').setLabel('x'.repeat(300)).setProfileAccessLevels([1])
  const failing = bob.save()
  const removing = remove(kith)
  await expect(failing).rejects.toMatchObject({ code: 'label-too-long' })
  await removing
  await bob.subscribe(true).save()
  expect([bob.label, bob.isContact, bob.isSubscribed]).toEqual([undefined, false, true])
})

test('edits staged while contacts are being removed are written by the next save', async () => {
  const { kith, release } = await held()
  const bob = kith.getProfile('bob').setLabel('Bob')
  const removing = kith.removeContacts(['bob'])
  bob.setLabel('Robert')
  release()
  await removing
  await bob.save()
  expect(bob.label).toBe('Robert')
})

test('a removal drops the staged edits: saving then writes nothing', async () => {
  const kith = await quiet()
  const bob = kith.getProfile('bob')
  bob.setLabel('Bob')
  bob.block(true)
  bob.setProfileAccessLevels([1])
  await bob.remove()
  const { unsent } = kith
  await bob.save()
  expect([kith.unsent, bob.label, bob.isBlocked, bob.isContact]).toEqual([unsent, undefined, false, false])
  bob.setLabel('Bob')
  await bob.save()
  expect([kith.unsent, bob.label]).toEqual([unsent + 1, 'Bob'])
})

test('[D5] a syncNow that fails keeps the queue, in its order and before what is queued after it', async () => {
  const kith = await quiet()
  const syncer = new ContactSynchronizer(kith)
  syncer.setProfileAccessLevels([1])
  await syncer.sync(['bob', 'carol'], false)
  syncer.setProfileAccessLevels([2])
  await syncer.sync(['bob'], false)
  const { rosterBytes } = coreOf(kith).store.documents.limits
  await setLimits(kith, { rosterBytes: 10 })
  for (let round = 0; round < 2; round++) {
    const failing = syncer.syncNow()
    syncer.setProfileAccessLevels([4 + round])
    const queued = syncer.sync(['bob', `late-${round}`], false)
    await expect(failing).rejects.toMatchObject({ code: 'roster-too-large' })
    await queued
    expect(kith.unsent).toBe(0)
  }
  await setLimits(kith, { rosterBytes })
  syncer.setProfileAccessLevels([3])
  await syncer.sync(['carol'], false)
  expect(await syncer.syncNow()).toEqual({ added: 4, updated: 0, unchanged: 0, invalid: [] })
  const levels = ['bob', 'carol', 'late-0', 'late-1'].map(id => coreOf(kith).shown.profile(id).accessLevels)
  expect([levels, kith.unsent]).toEqual([[[5], [3], [4], [5]], 1])
  expect(await syncer.syncNow(), 'nothing is left').toEqual({ added: 0, updated: 0, unchanged: 0, invalid: [] })
})

test('[D5] a synchronisation whose addresses cannot be read leaves the queue as it was', async () => {
  const kith = await quiet()
  const syncer = new ContactSynchronizer(kith)
  await syncer.sync(['bob'], false)
  await expect(syncer.sync([1] as never)).rejects.toThrow(TypeError)
  expect(await syncer.syncNow()).toMatchObject({ added: 1 })
})

/** A device on which looking at a profile writes nothing. */
async function quiet(): Promise<Kith> {
  const kith = await installation('alice').open()
  await kith.enableAutoSyncContacts(false)
  const { store } = coreOf(kith)
  // Simulates that everything was sent.
  await store.work(({ db }) => db.outbox.clear() as unknown as Promise<void>)
  expect(kith.unsent).toBe(0)
  return kith
}

/** A device whose next writes wait. */
async function held(): Promise<{ kith: Kith; release: () => void }> {
  const kith = await quiet()
  let isReleased = false
  // Work runs one piece after the other. This piece precedes everything that is requested from now on.
  void coreOf(kith).store.work(async ({ db }) => {
    while (!isReleased) await db.meta.count()
  })
  return {
    kith,
    release: () => {
      isReleased = true
    },
  }
}
