import type { Kith, KithOptions, Profile } from '@kith/client'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { backend } from '../support/backend.ts'
import { coreOf } from '../support/client-internals.ts'
import { Locks } from '../support/locks.ts'
import { nextEvent } from '../support/next-event.ts'
import { setLimits } from '../support/set-limits.ts'

test('[V7] a profile returns each time that a block is lifted, in one session', async () => {
  const { alice, bob, seen } = await follower()
  for (let round = 0; round < 3; round++) {
    seen.block(true)
    await seen.save()
    expect(seen.fields, `blocked, round ${round}`).toEqual({})
    await alice.whenSynced()
    await bob.ownProfile.set('name', `Bob ${round}`)
    await bob.whenSynced()
    seen.block(false)
    seen.subscribe(true)
    await seen.save()
    await alice.whenSynced()
    expect([seen.fields, seen.hasJoined], `lifted, round ${round}`).toEqual([{ name: `Bob ${round}` }, true])
  }
})

test('[V7] a profile returns each time that a block is made and lifted before the server received the block', async () => {
  const { alice, seen } = await follower()
  for (let round = 0; round < 3; round++) {
    seen.block(true)
    const blocked = seen.save()
    seen.block(false)
    seen.subscribe(true)
    // Both are stored before anything is sent.
    await Promise.all([blocked, seen.save()])
    await alice.whenSynced()
    expect([seen.fields, seen.hasJoined], `round ${round}`).toEqual([{ name: 'Bob' }, true])
  }
})

test('[V7] a profile returns each time that its owner lifts a block, and each time that it is followed again', async () => {
  const { alice, bob, seen } = await follower()
  const back = bob.getProfile('alice')
  for (let round = 0; round < 2; round++) {
    const withdrawn = nextEvent(alice, 'withdrawn')
    back.block(true)
    await back.save()
    await withdrawn
    expect(seen.fields, `blocked by the owner, round ${round}`).toEqual({})
    const profile = nextEvent(alice, 'profile')
    back.block(false)
    await back.save()
    await profile
    expect(seen.fields, `lifted by the owner, round ${round}`).toEqual({ name: 'Bob' })
    seen.subscribe(false)
    await seen.save()
    await alice.whenSynced()
    expect(seen.fields, `not followed, round ${round}`).toEqual({})
    seen.subscribe(true)
    await seen.save()
    await alice.whenSynced()
    expect(seen.fields, `followed again, round ${round}`).toEqual({ name: 'Bob' })
  }
})

test('[V7] a user who is accessed again after each unfollow is shown each time', async () => {
  const { alice, seen } = await follower()
  for (let round = 0; round < 3; round++) {
    seen.subscribe(false)
    await seen.save()
    await alice.whenSynced()
    expect(seen.fields, `not followed, round ${round}`).toEqual({})
    await alice.getProfile('bob').loaded
    expect(seen.fields, `looked at, round ${round}`).toEqual({ name: 'Bob' })
    seen.subscribe(true)
    await seen.save()
    await alice.whenSynced()
  }
})

test('[D2] a device that disconnects and connects repeatedly gets everything each time', async () => {
  const { alice, bob, seen } = await follower()
  for (let round = 0; round < 3; round++) {
    alice.disconnect()
    await alice.ownProfile.set('name', `Ada ${round}`)
    await bob.ownProfile.set('name', `Bob ${round}`)
    await bob.whenSynced()
    expect([seen.fields, alice.status]).toEqual([{ name: round === 0 ? 'Bob' : `Bob ${round - 1}` }, 'offline'])
    alice.connect()
    await alice.whenSynced()
    expect([seen.fields, alice.unsent, alice.status]).toEqual([{ name: `Bob ${round}` }, 0, 'synced'])
    const back = bob.getProfile('alice')
    await back.loaded
    await bob.whenSynced()
    expect(back.fields).toEqual({ name: `Ada ${round}` })
  }
})

test('[F1] a device that connects again emits no `profile` of its own user when the server has nothing new of it', async () => {
  const { device } = await backend()
  const alice = await device('alice')
  await alice.ownProfile.set('name', 'A')
  await alice.ownProfile.set('name', 'Ada')
  await alice.whenSynced()
  const emitted: string[] = []
  for (const mood of ['well', 'better']) {
    alice.disconnect()
    // The server's content then differs from the device's, so the server sends the removals of its whole document.
    await alice.ownProfile.set('mood', mood)
    const stop = alice.on('profile', ({ id }) => emitted.push(id))
    alice.connect()
    await alice.whenSynced()
    stop()
  }
  expect(emitted).toEqual([])
})

test('[D5] each refusal rejects the whenSynced that waits for it, and delays no later one', async () => {
  const { device } = await backend({ labelBytes: 100 })
  const alice = await device('alice')
  await alice.whenSynced()
  const bob = alice.getProfile('bob')
  for (let round = 0; round < 3; round++) {
    // As a device whose last session was when longer labels were allowed.
    await setLimits(alice, { labelBytes: 200 })
    bob.setLabel(`${round}`.repeat(150))
    const refused = nextEvent(alice, 'error')
    await bob.save()
    await expect(alice.whenSynced()).rejects.toMatchObject({ code: 'label-too-long' })
    expect((await refused)[0]).toMatchObject({ code: 'label-too-long' })
    bob.setLabel(`Bob ${round}`)
    await bob.save()
    await alice.whenSynced()
    expect([bob.label, alice.unsent]).toEqual([`Bob ${round}`, 0])
  }
})

test('a message is delivered when the recipient’s app has it, not earlier', async () => {
  const { device } = await backend()
  const happened: string[] = []
  class Recording extends WebSocket {
    override send(data: never): void {
      // `received` is message 112 of the protocol.
      if ((data as Uint8Array)[0] === 112) happened.push('received is sent')
      super.send(data)
    }
  }
  const alice = await device('alice')
  const bob = await device('bob', { WebSocket: Recording as never })
  await Promise.all([alice.whenSynced(), bob.whenSynced()])
  await alice.getProfile('bob').loaded // So that she may know whether he is there.
  await alice.whenSynced()
  bob.on('message', ({ text }) => happened.push(`the app has ${text}`))
  for (const text of ['one', 'two']) {
    happened.length = 0
    expect(await alice.send('bob', text)).toBe('delivered')
    expect(happened).toEqual([`the app has ${text}`, 'received is sent'])
  }
})

test('a message is acknowledged only after the follow of its sender is stored', async () => {
  const { device } = await backend()
  const [alice, bob] = [await device('alice'), await device('bob')]
  await Promise.all([alice.whenSynced(), bob.whenSynced()])
  await alice.getProfile('bob').loaded // So that she may know whether he is there.
  await alice.whenSynced()
  let isReleased = false
  let isSettled = false
  const held = coreOf(bob).store.work(async ({ db }) => {
    while (!isReleased) await db.meta.count()
  })
  const arrived = nextEvent(bob, 'message')
  const outcome = alice.send('bob', 'hello')
  void outcome.then(() => {
    isSettled = true
  })
  await arrived
  await alice.whenSynced()
  expect(isSettled).toBe(false)
  isReleased = true
  await held
  expect(await outcome).toBe('delivered')
  expect(coreOf(bob).shown.profile('alice').isSubscribed).toBe(true)
})

test.each([
  ['', false],
  [', also when it has folded it into a snapshot', true],
])('[D5][S3] entries that another tab wrote count toward the size of the roster%s', async (_, isFolded) => {
  const { tab } = await tabs({ connect: false })
  const [one, two] = [await tab(), await tab()]
  const friends = Array.from({ length: 40 }, (_, index) => `contact-number-${index}`)
  // Before the second tab looks again.
  await coreOf(one).store.work(async ({ db, documents }) => {
    for (const key of friends) await documents.write(db, 'roster', [{ root: 'labels', key, value: 'x'.repeat(50) }])
    if (isFolded) await documents.compact(db)
  })
  await setLimits(two, { rosterBytes: 3_000 })
  const late = two.getProfile('late')
  late.setLabel('y'.repeat(50))
  await expect(late.save()).rejects.toMatchObject({ code: 'roster-too-large' })
  await setLimits(two, { rosterBytes: 30_000 })
  await late.save()
  expect(late.label).toBe('y'.repeat(50))
})

/** Alice's device, which follows Bob. */
async function follower(): Promise<{ alice: Kith; bob: Kith; seen: Profile }> {
  const { device } = await backend()
  const [alice, bob] = [await device('alice'), await device('bob')]
  await bob.enableAutoSyncContacts(false)
  await bob.ownProfile.set('name', 'Bob')
  await bob.whenSynced()
  const seen = alice.getProfile('bob')
  await seen.loaded
  await alice.whenSynced()
  expect(seen.fields).toEqual({ name: 'Bob' })
  return { alice, bob, seen }
}

async function tabs(defaults: Partial<KithOptions>): Promise<{ tab(): Promise<Kith> }> {
  const { open } = await backend()
  const shared = { indexedDB: new IDBFactory(), locks: new Locks(), ...defaults }
  return { tab: () => open('alice', shared) }
}
