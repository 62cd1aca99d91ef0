import { type Kith, type KithOptions, openKith, type Presence } from '@kith/client'
import { KithProvider, usePresence } from '@kith/client/react'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { createElement as h, type ReactNode } from 'react'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { Channels } from '../support/channels.ts'
import { Connection, coreOf } from '../support/client-internals.ts'
import { emissions } from '../support/emissions.ts'
import { Locks } from '../support/locks.ts'
import { nextEvent } from '../support/next-event.ts'
import { openPage } from '../support/page.ts'
import { serverWorld, type World } from '../support/server-world.ts'

const online: Presence = { isOnline: true }

test('livePresence emits whether a user is online, when they were last seen, and undefined without a connection', async () => {
  const world = await serverWorld()
  const [alice, bob] = await acquainted(world)
  const seen = emissions(alice.livePresence('bob'))
  await expect.poll(() => seen).toEqual([undefined, online])
  world.clock.leap(60_000 - (world.clock.now() % 60_000))
  const lastSeenAt = new Date(world.clock.now())
  bob.disconnect()
  await passUntil(world, () => seen.length > 2)
  expect(seen.at(-1)).toEqual({ isOnline: false, lastSeenAt })
  alice.disconnect()
  expect(seen.slice(3)).toEqual([undefined])
  alice.connect()
  await expect.poll(() => seen.at(-1)).toEqual({ isOnline: false, lastSeenAt })
  await alice.close()
  expect(seen.at(-1)).toBeUndefined()
})

test('[V1] a block by either user hides presence at once', async () => {
  for (const side of [0, 1] as const) {
    const pair = await acquainted(await serverWorld())
    const seen = emissions(pair[0].livePresence('bob'))
    await expect.poll(() => seen).toEqual([undefined, online])
    const blocked = pair[side].getProfile(side === 0 ? 'bob' : 'alice')
    blocked.block(true)
    await blocked.save()
    await expect.poll(() => seen).toEqual([undefined, online, undefined])
  }
})

test('[V8] presence is forgotten when its last subscriber leaves, and not shown at the next subscription', async () => {
  const world = await serverWorld()
  const [alice, bob] = await acquainted(world)
  const sent = sentBy(alice)
  const seen: (Presence | undefined)[] = []
  const look = alice.livePresence('bob').subscribe(presence => seen.push(presence))
  await expect.poll(() => seen).toEqual([undefined, online])
  look.unsubscribe()
  await expect.poll(() => sent()).toEqual([['bob'], []])
  await bob.setHidePresence(true)
  await bob.whenSynced()
  alice.disconnect()
  const again = emissions(alice.livePresence('bob'))
  await expect.poll(() => alice.status).toBe('offline')
  alice.connect()
  await expect.poll(() => sent().length).toBe(3)
  await alice.whenSynced()
  expect(again).toEqual([undefined])
})

test('[S4] the presence of a user is unknown until their profile is accessed', async () => {
  const world = await serverWorld()
  const [alice, carol] = [await device(world, 'alice'), await device(world, 'carol')]
  await Promise.all([alice.whenSynced(), carol.whenSynced()])
  await alice.enableAutoSyncContacts(false)
  await alice.whenSynced()
  const [seen, answered] = [emissions(alice.livePresence('carol')), emissions(alice.livePresence('dave'))]
  const sent = sentBy(alice)
  await expect.poll(() => sent()).toHaveLength(1)
  await alice.whenSynced()
  expect([seen, answered]).toEqual([[undefined], [undefined]])
  await alice.getProfile('carol').loaded
  await expect.poll(() => seen).toEqual([undefined, online])
  expect(answered).toEqual([undefined])
})

test('hiding presence hides it from all users, for any audience, and showing restores it', async () => {
  const world = await serverWorld()
  const [alice, bob] = await acquainted(world)
  const seen = emissions(alice.livePresence('bob'))
  const own = emissions(bob.liveOwnProfile())
  await expect.poll(() => seen).toEqual([undefined, online])
  await bob.setHidePresence(true)
  expect(own.map(({ hidesPresence }) => hidesPresence)).toEqual([false, true])
  expect([bob.hidesPresence, bob.publicAudience]).toEqual([true, 'everyone'])
  await expect.poll(() => seen).toEqual([undefined, online, undefined])
  await bob.setHidePresence(false)
  expect(bob.hidesPresence).toBe(false)
  await passUntil(world, () => seen.length > 3)
  expect(seen.at(-1)).toEqual(online)
})

test('[R3][R4] hiding again writes nothing, showing removes all hidings that the device has seen, and an unseen hiding survives', async () => {
  const world = await serverWorld()
  const [phone, laptop] = [await device(world, 'bob'), await device(world, 'bob')]
  await Promise.all([phone.whenSynced(), laptop.whenSynced()])
  laptop.disconnect()
  await laptop.setHidePresence(true)
  await phone.setHidePresence(true)
  await phone.setHidePresence(true)
  expect([phone.unsent, laptop.unsent].every(count => count <= 1)).toBe(true)
  await phone.whenSynced()
  await phone.setHidePresence(false)
  await phone.whenSynced()
  expect(phone.hidesPresence).toBe(false)
  laptop.connect()
  await laptop.whenSynced()
  await phone.whenSynced()
  await expect.poll(() => [phone.hidesPresence, laptop.hidesPresence]).toEqual([true, true])
  await phone.setHidePresence(true)
  await laptop.setPublicAudience('contacts')
  await laptop.setHidePresence(false)
  await laptop.whenSynced()
  await expect.poll(() => [phone.hidesPresence, phone.publicAudience]).toEqual([false, 'contacts'])
  await expect(phone.setHidePresence('yes' as never)).rejects.toThrow(TypeError)
})

test('presence subscriptions that begin and end together are sent in one message, and again after each connect', async () => {
  const world = await serverWorld()
  const alice = await device(world, 'alice')
  await alice.whenSynced()
  const sent = sentBy(alice)
  const watch = (id: string): { unsubscribe(): void } => alice.livePresence(id).subscribe(() => undefined)
  const [bob, again] = [watch('bob'), watch('bob')]
  const dave = watch('dave')
  watch('carol')
  dave.unsubscribe()
  await expect.poll(() => sent()).toEqual([['carol', 'bob']])
  bob.unsubscribe()
  again.unsubscribe()
  watch('bob')
  await new Promise(resolve => setTimeout(resolve, 120))
  await alice.whenSynced()
  expect(sent()).toHaveLength(1)
  alice.disconnect()
  alice.connect()
  await expect
    .poll(() => sent())
    .toEqual([
      ['carol', 'bob'],
      ['bob', 'carol'],
    ])
})

test('[S3] of more than 256 owners the newest are watched; a server with another limit reports the others', async () => {
  const world = await serverWorld({ limits: { watchedOwners: 255 } })
  const alice = await device(world, 'alice')
  await alice.whenSynced()
  const sent = sentBy(alice)
  const failed = nextEvent(alice, 'error')
  for (let count = 0; count < 300; count++) alice.livePresence(`user${count}`).subscribe(() => undefined)
  await expect.poll(() => sent()).toHaveLength(1)
  expect(sent()[0]).toEqual(Array.from({ length: 256 }, (_, index) => `user${299 - index}`))
  expect(await failed).toMatchObject([{ code: 'too-many-watched', addresses: ['user44'] }])
})

test('tabs watch presence through the tab with the socket, and another tab takes over when that tab closes', async () => {
  const world = await serverWorld()
  const bob = await device(world, 'bob')
  const carol = await device(world, 'carol')
  const { tab, locks } = browser(world, 'alice')
  const [one, two, three] = [await tab(), await tab(), await tab()]
  for (const id of ['bob', 'carol']) await one.getProfile(id).loaded
  await Promise.all([one, bob, carol].map(kith => kith.whenSynced()))
  const sent = sentBy(one)
  const inOne = emissions(one.livePresence('bob'))
  const [bobInTwo, carolInTwo] = [emissions(two.livePresence('bob')), emissions(two.livePresence('carol'))]
  for (const seen of [inOne, bobInTwo, carolInTwo]) await expect.poll(() => seen.at(-1)).toEqual(online)
  const inThree = emissions(three.livePresence('carol'))
  await expect.poll(() => inThree.at(-1)).toEqual(online)
  await two.close()
  await three.close()
  await expect.poll(() => sent().at(-1)).toEqual(['bob'])

  const four = await tab()
  const inFour = emissions(four.livePresence('carol'))
  await expect.poll(() => inFour.at(-1)).toEqual(online)
  locks.drop() // As when a browser ends a page without a word.
  await expect.poll(() => sent().at(-1)).toEqual(['bob'])

  const five = await tab()
  const inFive = emissions(five.livePresence('bob'))
  await expect.poll(() => inFive.at(-1)).toEqual(online)
  await one.close()
  await expect.poll(() => inFive.slice(-2)).toEqual([undefined, online])
})

test('usePresence shows presence, and watches as long as any component uses it', async () => {
  const [alice] = await acquainted(await serverWorld())
  const sent = sentBy(alice)
  const Bob = (): ReactNode => (usePresence('bob')?.isOnline ? 'here ' : 'away ')
  const page = await openPage()
  page.show(h(KithProvider, { kith: alice }, h(Bob), h(Bob)))
  await expect.poll(() => page.text).toBe('here here ')
  page.show(h(KithProvider, { kith: alice }, h(Bob)))
  await expect.poll(() => page.text).toBe('here ')
  page.show('nobody')
  await expect.poll(() => sent()).toEqual([['bob'], []])
})

test('presence is nowhere in the database', async () => {
  const world = await serverWorld()
  const bob = await device(world, 'bob')
  const { tab } = browser(world, 'alice')
  const [one, two] = [await tab(), await tab()]
  await one.getProfile('bob').loaded
  await Promise.all([one.whenSynced(), bob.whenSynced()])
  const seen = emissions(two.livePresence('bob'))
  await expect.poll(() => seen.at(-1)).toEqual(online)
  const { tables } = coreOf(one).store.db
  const stored = await Promise.all(tables.map(table => table.toArray()))
  expect(JSON.stringify(stored, asPlain)).toContain('bob')
  expect(JSON.stringify(stored, asPlain)).not.toContain('isOnline')
  await bob.setHidePresence(true)
  await expect.poll(() => seen.at(-1)).toBeUndefined()
})

/** Alice follows Bob, who is online. */
async function acquainted(world: World): Promise<[alice: Kith, bob: Kith]> {
  const [alice, bob] = [await device(world, 'alice'), await device(world, 'bob')]
  await bob.whenSynced()
  await alice.getProfile('bob').loaded
  await alice.whenSynced()
  return [alice, bob]
}

async function device(world: World, user: string, options: Partial<KithOptions> = {}): Promise<Kith> {
  const kith = await openKith({
    url: world.url.replace('http', 'ws'),
    token: () => world.token(user),
    user,
    indexedDB: new IDBFactory(),
    IDBKeyRange,
    WebSocket,
    ...options,
  })
  onTestFinished(() => kith.close())
  return kith
}

/** One browser profile. The tab that was opened last may lose its locks. */
function browser(world: World, user: string): { tab(): Promise<Kith>; locks: { drop(): void } } {
  const indexedDB = new IDBFactory()
  const locks = new Locks()
  const openChannel = new Channels().open
  let drop = (): void => undefined
  return {
    locks: { drop: () => drop() },
    async tab() {
      const held: (() => void)[] = []
      drop = () => {
        for (const release of held) release()
      }
      const own = {
        request: (name: string, options: { signal?: AbortSignal; steal?: boolean }, holds: () => Promise<void>) =>
          locks.request(name, options, () => {
            const released = new Promise<void>(release => held.push(release))
            return Promise.race([holds(), released])
          }),
      }
      return device(world, user, { indexedDB, locks: own, openChannel })
    },
  }
}

/** The users whom this client's socket asks to watch, message by message, from now on. */
function sentBy(kith: Kith): () => (readonly string[])[] {
  const sent: (readonly string[])[] = []
  const original = Connection.prototype.send
  const spy = vi.spyOn(Connection.prototype, 'send').mockImplementation(function (this: Connection, message) {
    if (message.type === 'watch') sent.push(message.owners)
    original.call(this, message)
  })
  onTestFinished(() => spy.mockRestore())
  expect(kith.status).toBe('synced')
  return () => sent
}

/** Lets the server's time pass, slowly enough for devices to answer its pings. */
async function passUntil(world: World, isSo: () => boolean): Promise<void> {
  const step = (): boolean => {
    world.clock.move(1000)
    return isSo()
  }
  await expect.poll(step, { interval: 20 }).toBe(true)
}

function asPlain(_key: string, value: unknown): unknown {
  return value instanceof Map ? [...value] : value
}
