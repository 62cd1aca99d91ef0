import {
  ContactSynchronizer,
  type Kith,
  type KithOptions,
  type LockManagerLike,
  type OpenTabChannel,
} from '@kith/client'
import { TestClock } from '@kith/client/testing'
import { IDBFactory } from 'fake-indexeddb'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Backend, backend } from '../support/backend.ts'
import { Channels, sharedByTabs } from '../support/channels.ts'
import { ConnectionManager, coreOf, Leading } from '../support/client-internals.ts'
import { first, installation } from '../support/devices.ts'
import { Locks } from '../support/locks.ts'
import { nextEvent } from '../support/next-event.ts'

test('without locks, opening one database twice is database-in-use, until the first is closed', async () => {
  const { open } = await backend()
  const indexedDB = new IDBFactory()
  const one = await open('alice', { indexedDB, connect: false })
  await expect(open('alice', { indexedDB, connect: false })).rejects.toMatchObject({ code: 'database-in-use' })
  const other = await open('alice', { indexedDB, connect: false, databaseName: 'another' })
  await other.close()
  await one.close()
  await one.close()
  expect((await open('alice', { indexedDB, connect: false })).user).toBe('alice')
})

test('what one tab writes the other shows, and both know how much is unsent', async () => {
  const { tab } = await browser(await backend())
  const [one, two] = [await tab({ connect: false }), await tab({ connect: false })]
  const bob = one.getProfile('bob')
  bob.setLabel('Bob')
  bob.setProfileAccessLevels([2])
  await bob.save()
  await one.ownProfile.set('name', 'Ada')
  await two.ownProfile.set('mood', 'well')
  const there = two.getProfile('bob')
  expect([there.label, there.accessLevels, two.ownProfile.get('name')]).toEqual(['Bob', [2], 'Ada'])
  await one.ownProfile.unset('mood')
  expect(one.ownProfile.fields).toEqual(new Map([[0, { name: 'Ada' }]]))
  expect((await first(two.contacts())).map(row => [row.id, row.label])).toEqual([['bob', 'Bob']])
})

test('[D5] a tab that was opened before the first connection keeps to the limits of the server that another tab connected to', async () => {
  const { tab } = await browser(await backend({ labelBytes: 10 }))
  const [one, two] = [await tab({ connect: false }), await tab({ connect: false })]
  one.connect()
  await one.whenSynced()
  await one.close()
  two.disconnect()
  const bob = two.getProfile('bob')
  bob.setLabel('a label that is too long')
  await expect(bob.save()).rejects.toMatchObject({ code: 'label-too-long' })
})

test('the tabs share one socket: fetch, messages, events, status and whenSynced', async () => {
  const world = await backend()
  const { tab } = await browser(world)
  const carol = await world.device('carol')
  await carol.ownProfile.set('name', 'Carol')
  await carol.whenSynced()

  const one = await tab()
  const two = await tab()
  await two.whenSynced()
  const seen = two.getProfile('carol')
  await seen.loaded
  expect(seen.get('name')).toBe('Carol')
  await two.ownProfile.set('name', 'Ada')
  await two.whenSynced()
  expect([one.unsent, two.unsent]).toEqual([0, 0])

  await carol.getProfile('alice').loaded
  const inBoth = Promise.all([nextEvent(one, 'message'), nextEvent(two, 'message')])
  expect(await carol.send('alice', 'hello')).toBe('delivered')
  expect((await inBoth).map(([message]) => message.text)).toEqual(['hello', 'hello'])
  expect(await two.send('carol', 'hello')).toBe('delivered')

  const news = nextEvent(two, 'profile')
  await carol.ownProfile.set('name', 'Caroline')
  expect((await news)[0]).toBe(seen)
  expect(seen.get('name')).toBe('Caroline')

  const offline = nextEvent(one, 'status', status => status === 'offline')
  two.disconnect()
  await offline
})

test('a new tab waits for its connection before it reports that a profile shows nothing', async () => {
  const world = await backend()
  const { tab } = await browser(world)
  const carol = await world.device('carol')
  await carol.ownProfile.set('name', 'Carol')
  await carol.whenSynced()
  const seen = (await tab()).getProfile('carol')
  await seen.loaded
  expect(seen.get('name')).toBe('Carol')
})

test('when the tab with the socket closes, another one takes over', async () => {
  const world = await backend()
  const { tab } = await browser(world)
  const one = await tab()
  const two = await tab()
  await two.whenSynced()
  await one.ownProfile.set('name', 'Ada')
  const [waiting] = [two.whenSynced()]
  await one.close()
  await waiting
  await two.ownProfile.set('name', 'Ada L.')
  await two.whenSynced()
  expect([two.unsent, two.status]).toEqual([0, 'synced'])
})

test('[V7] a profile that any tab shows stays visible when another tab takes over, and goes when all tabs are closed', async () => {
  const world = await backend()
  const { tab } = await browser(world)
  const [carol, dan, erin] = [await world.device('carol'), await world.device('dan'), await world.device('erin')]
  for (const owner of [carol, dan, erin]) {
    await owner.ownProfile.set('name', owner.user)
    await owner.whenSynced()
  }
  const [one, two, three] = [await tab(), await tab(), await tab()]
  await two.enableAutoSyncContacts(false)
  await two.whenSynced()
  // Each is looked at only once, because looking again would fetch again.
  const [dans, inTwo, inThree] = [one.getProfile('dan'), two.getProfile('carol'), three.getProfile('erin')]
  await Promise.all([dans, inTwo, inThree].map(({ loaded }) => loaded))
  const shown = (): unknown[] => [inTwo, inThree].map(profile => profile.get('name'))
  expect([dans.get('name'), ...shown()]).toEqual(['dan', 'carol', 'erin'])
  await one.close()
  await two.whenSynced()
  await vi.waitFor(() => expect(shown()).toEqual(['carol', 'erin']))
  for (const owner of [carol, erin]) {
    await owner.ownProfile.set('name', `new ${owner.user}`)
    await owner.whenSynced()
  }
  await vi.waitFor(() => expect(shown()).toEqual(['new carol', 'new erin']))
  await two.close()
  await three.whenSynced()
  await vi.waitFor(() => expect(inThree.get('name')).toBe('new erin'))
  await three.close()
  const four = await tab({ connect: false })
  await expect.poll(() => coreOf(four).store.db.replicas.toArray()).toEqual([])
})

test('[V7] a fetched profile stays visible offline in an open tab when the tab with the socket closes', async () => {
  const world = await backend()
  const { tab } = await browser(world)
  const bob = await world.device('bob')
  await bob.ownProfile.set('name', 'Bob')
  await bob.whenSynced()
  const [one, two] = [await tab(), await tab()]
  await one.enableAutoSyncContacts(false)
  await two.whenSynced()
  const profile = two.getProfile('bob')
  await profile.loaded
  one.disconnect()
  await expect.poll(() => two.status).toBe('offline')
  const isBegun = new Promise<void>(resolve => {
    const { begin } = Leading.prototype
    const spy = vi.spyOn(Leading.prototype, 'begin').mockImplementation(function (this: Leading) {
      spy.mockRestore()
      return begin.call(this).finally(resolve)
    })
  })
  await one.close()
  await isBegun
  await coreOf(two).store.idle()
  expect(profile.get('name')).toBe('Bob')
})

test('a tab shows the changes of another tab although it cannot apply them to its documents', async () => {
  const device = installation('alice', { ...sharedByTabs() })
  const [one, two] = [await device.open(), await device.open()]
  await two.getContacts()
  vi.spyOn(coreOf(two).store, 'refresh').mockRejectedValueOnce(new Error('not now'))
  await one.getProfile('bob').setLabel('Bob').save()
  await expect.poll(async () => (await two.getContacts()).map(({ label }) => label)).toEqual(['Bob'])
})

test('tabs need no AbortSignal.any, which older browsers lack', async () => {
  const world = await backend()
  const { tab } = await browser(world)
  const { any } = AbortSignal
  onTestFinished(() => void Object.assign(AbortSignal, { any }))
  Object.assign(AbortSignal, { any: undefined })
  await tab()
  const two = await tab()
  await two.whenSynced()
  await two.getProfile('carol').loaded
  const abort = new AbortController()
  two.disconnect()
  const waiting = two.whenSynced({ signal: abort.signal })
  abort.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
  expect(await two.send('nobody', 'hello')).not.toBe('delivered')
}, 20_000)

test('[F1] the last call of connect and disconnect counts, in whichever tab', async () => {
  const { tab } = await browser(await backend())
  const one = await tab()
  const two = await tab()
  await two.whenSynced()
  for (const [left, came] of [
    [two, one],
    [one, two],
  ] as const) {
    left.disconnect()
    came.connect()
    await came.whenSynced()
    for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
    expect(came.status, 'after both were heeded').not.toBe('offline')
    came.disconnect()
    left.connect()
    await left.whenSynced()
  }
})

test('[D2] whenSynced continues with the next leader when the leader closes', async () => {
  const { tab } = await browser(await backend())
  const one = await tab({ connect: false })
  const two = await tab({ connect: false })
  const errors: unknown[] = []
  for (const kith of [one, two]) kith.on('error', error => errors.push(error))
  const isAsked = taken('whenSynced')
  const waiting = two.whenSynced()
  await isAsked
  await one.close()
  two.connect()
  await waiting
  expect([errors, two.status]).toEqual([[], 'synced'])
})

test('a message that one leader began to send is not sent again by the next', async () => {
  const world = await backend()
  const { tab } = await browser(world)
  const carol = await world.device('carol')
  const heard: string[] = []
  carol.on('message', ({ text }) => heard.push(text))
  // Both have an account, so only this device can prevent a second message from arriving.
  const another = await world.device('alice')
  await Promise.all([another.whenSynced(), carol.whenSynced()])
  const one = await tab({ connect: false })
  const two = await tab({ connect: false })
  const isBegun = taken('send')
  const begun = two.send('carol', 'begun')
  await isBegun
  await one.close()
  two.connect()
  expect(await begun).toBe('unconfirmed')
  await two.whenSynced()
  await two.getProfile('carol').loaded
  expect(await two.send('carol', 'another')).toBe('delivered')
  expect(heard).toEqual(['another'])
})

test('questions that no tab answers end: a message is undelivered, a fetch ends, and whenSynced waits', async () => {
  const world = await backend()
  const clock = new TestClock()
  let getLock = (): void => undefined
  const locks: LockManagerLike = {
    request: (_name, _options, held) =>
      new Promise((resolve, reject) => {
        getLock = () => held().then(resolve, reject)
      }),
  }
  const { tab } = await browser(world, locks)
  const kith = await tab({ clock })
  const synced = kith.whenSynced()
  const delivery = kith.send('carol', 'hello')
  const { loaded } = kith.getProfile('carol')
  for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
  clock.move(9_500)
  expect(await delivery).toBe('undelivered')
  clock.move(500)
  await loaded
  getLock()
  await synced
})

test('a message is sent once, also when the tab with the socket is asked twice for it', async () => {
  const world = await backend()
  const channels = new Channels()
  const { tab } = await browser(world, new Locks(), name => {
    const end = channels.open(name)
    const post = end.postMessage.bind(end)
    end.postMessage = message => {
      post(message)
      if ((message as { type: string }).type === 'question') post(message)
    }
    return end
  })
  const carol = await world.device('carol')
  const heard: string[] = []
  carol.on('message', ({ text }) => heard.push(text))
  await carol.whenSynced()
  const [one, two] = [await tab(), await tab()]
  await Promise.all([one.whenSynced(), two.whenSynced()])
  await two.getProfile('carol').loaded
  expect(await two.send('carol', 'once')).toBe('delivered')
  expect(await two.send('carol', 'again')).toBe('delivered')
  expect(heard).toEqual(['once', 'again'])
})

test('a whenSynced that one tab aborts ends in the tab with the socket too', async () => {
  const { tab } = await browser(await backend())
  await tab({ connect: false })
  const two = await tab({ connect: false })
  const waits: Promise<void>[] = []
  const { whenSynced } = ConnectionManager.prototype
  const spy = vi.spyOn(ConnectionManager.prototype, 'whenSynced').mockImplementation(function (
    this: ConnectionManager,
    signal,
  ) {
    const wait = whenSynced.call(this, signal)
    waits.push(wait)
    return wait
  })
  const abort = new AbortController()
  const waiting = two.whenSynced({ signal: abort.signal })
  await expect.poll(() => waits.length).toBe(1)
  spy.mockRestore()
  abort.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
  await expect(waits[0]).rejects.toMatchObject({ code: 'aborted' })
})

/** Resolves when a tab with the socket begins a task for another tab. */
function taken(type: 'send' | 'whenSynced'): Promise<void> {
  return new Promise(resolve => {
    const original: (...details: never[]) => unknown = ConnectionManager.prototype[type]
    const spy = vi.spyOn(ConnectionManager.prototype, type).mockImplementation(function (
      this: ConnectionManager,
      ...details: unknown[]
    ) {
      resolve()
      spy.mockRestore()
      return original.apply(this, details as never[]) as never
    })
  })
}

/** One browser profile of Alice. Its tabs share storage and locks. */
async function browser(
  { open }: Backend,
  locks: LockManagerLike = new Locks(),
  openChannel: OpenTabChannel = new Channels().open,
): Promise<{ tab(options?: Partial<KithOptions>): Promise<Kith> }> {
  const shared = { indexedDB: new IDBFactory(), locks, openChannel }
  return { tab: options => open('alice', { ...shared, ...options }) }
}

test('getContacts shows what another tab changed', async () => {
  const device = installation('alice', { ...sharedByTabs() })
  const [one, two] = [await device.open(), await device.open()]
  await new ContactSynchronizer(one).sync(['bob', 'carol'])
  await expect.poll(async () => (await two.getContacts()).length).toBe(2)
  await one.getProfile('bob').setLabel('B').save()
  await expect.poll(async () => (await two.getContacts({ query: 'b' })).map(({ label }) => label)).toEqual(['B'])
  await one.removeContacts(['bob'])
  await expect.poll(async () => (await two.getContacts()).map(({ id }) => id)).toEqual(['carol'])
})
