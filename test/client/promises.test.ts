import type { Subscribable } from '@kith/client'
import { ContactSynchronizer, type Kith } from '@kith/client'
import { expect, test } from 'vitest'
import type { Device, Tab } from '../simulation/world/device.ts'
import { World } from '../simulation/world/world.ts'
import { coreOf } from '../support/client-internals.ts'
import { done } from '../support/database-copy.ts'

/**
 * Every promise of the client's API settles, whatever ends in the middle of the call. Each row of `calls` states the time limit
 * and the accepted results. Each row of `faults` states what happens while all calls are in progress.
 */

/** Only reads and writes of this device: no network and no clock. */
const atOnce = 0
/** The duration of the fault, and 30 s more. */
const untilHealed = Number.POSITIVE_INFINITY

interface Call {
  name: string
  boundMs: number
  begin(kith: Kith): Promise<unknown>
  /** An observable. If the client was closed before the first read, the observable and its component emit nothing. */
  isLive?: true
  /** The accepted results, besides rejection with `closed` when the client was closed or erased. */
  right?(outcome: unknown): boolean
}

const written: readonly Call[] = [
  { name: 'ownProfile.set', boundMs: atOnce, begin: kith => kith.ownProfile.set('name', 'Ada') },
  { name: 'ownProfile.unset', boundMs: atOnce, begin: kith => kith.ownProfile.unset('mood') },
  { name: 'enableAutoSyncContacts', boundMs: atOnce, begin: kith => kith.enableAutoSyncContacts(false) },
  { name: 'setPublicAudience', boundMs: atOnce, begin: kith => kith.setPublicAudience('contacts') },
  { name: 'setHidePresence', boundMs: atOnce, begin: kith => kith.setHidePresence(true) },
  { name: 'profile.save', boundMs: atOnce, begin: kith => saved(kith) },
  { name: 'profile.remove', boundMs: atOnce, begin: kith => coreOf(kith).shown.profile('carol').remove() },
  { name: 'sync', boundMs: atOnce, begin: kith => synced(kith, 'sync') },
  { name: 'syncAsUpdate and syncNow', boundMs: atOnce, begin: kith => synced(kith, 'syncNow') },
]

const calls: readonly Call[] = [
  ...written,
  { name: 'contacts', boundMs: atOnce, isLive: true, begin: kith => first(kith.contacts()) },
  { name: 'liveProfile', boundMs: atOnce, isLive: true, begin: kith => first(kith.liveProfile('bob')) },
  { name: 'liveOwnProfile', boundMs: atOnce, begin: kith => first(kith.liveOwnProfile()) },
  { name: 'liveSyncStatus', boundMs: atOnce, begin: kith => first(kith.liveSyncStatus()) },
  { name: 'liveViewAs', boundMs: atOnce, begin: kith => first(kith.liveViewAs('bob')) },
  { name: 'livePresence', boundMs: atOnce, begin: kith => first(kith.livePresence('bob')) },
  { name: 'loaded', boundMs: 10_000, begin: kith => kith.getProfile('bob').loaded },
  {
    name: 'send',
    boundMs: 10_000,
    begin: kith => kith.send('bob', 'hello'),
    right: outcome => ['delivered', 'undelivered', 'unconfirmed'].includes(outcome as string),
  },
  { name: 'whenSynced', boundMs: untilHealed, begin: kith => kith.whenSynced() },
]

interface Scene {
  world: World
  device: Device
  /** The acting tab, and another one if there is one. */
  tab: Tab
  other: Tab | undefined
}

interface Fault {
  /** The acting tab is closed, or its data is erased. Calls may then reject with `closed`. */
  closes?: boolean
  needsOther?: boolean
  strike(scene: Scene): Promise<void> | void
  heal?(scene: Scene): Promise<void> | void
}

const faults: Record<string, Fault> = {
  'the connection is cut': { strike: ({ world }) => cut(world, 'both') },
  'the connection is cut and the server does not know': { strike: ({ world }) => cut(world, 'device') },
  'the connection is cut and the device does not know': { strike: ({ world }) => cut(world, 'server') },
  'the network is gone': {
    strike: ({ device }) => partition(device, true),
    heal: ({ device }) => partition(device, false),
  },
  'the server is killed': {
    strike: ({ world }) => world.killServer(true),
    heal: ({ world }) => world.startServer(),
  },
  'the app disconnects': {
    strike: ({ tab }) => tab.kith?.disconnect(),
    heal: ({ tab }) => tab.kith?.connect(),
  },
  'the client is closed': { closes: true, strike: ({ tab }) => void tab.kith?.close() },
  'the device is erased': { closes: true, strike: ({ tab }) => void tab.kith?.erase({ force: true }) },
  'the database is lost': {
    strike: async ({ device, world }) => {
      void done(device.indexedDB.deleteDatabase('kith'))
      await world.settle()
    },
  },
  'another tab erases the device': {
    ...{ closes: true, needsOther: true },
    strike: ({ other }) => void other?.kith?.erase({ force: true }),
  },
  'another tab closes': {
    needsOther: true,
    strike: ({ other }) => void other?.kith?.close(),
  },
  'another tab is killed': {
    needsOther: true,
    strike: ({ device, other }) => {
      device.tabs = device.tabs.filter(tab => tab !== other)
      other?.kill()
    },
  },
  'another tab stands still': {
    needsOther: true,
    strike: ({ other }) => other?.freeze(),
    heal: ({ other }) => other?.thaw(),
  },
}

const modes = ['alone', 'with the connection', 'beside the tab with the connection'] as const
const table = Object.entries(faults).flatMap(([what, fault]) =>
  modes.filter(mode => !fault.needsOther || mode !== 'alone').map(mode => [what, mode, fault] as const),
)

test.each(table)('each promise of the client settles in time when %s, in a tab %s', async (_what, mode, fault) => {
  // Before any frame is sent, when the first one arrives, and later.
  for (const moves of [0, 1, 3]) {
    const scene = await begin(mode)
    const { world, tab } = scene
    const kith = tab.kith as Kith
    const results = new Map<string, unknown>()
    for (const call of calls) {
      call.begin(kith).then(
        value => results.set(call.name, { value }),
        (error: unknown) => results.set(call.name, { error: (error as { code?: string }).code ?? error }),
      )
    }
    for (let move = 0; move < moves; move++) await world.next(0)
    await fault.strike(scene)
    await world.settle()
    const due = calls.filter(({ isLive }) => !isLive || !fault.closes)
    const expectAll = (withinMs: number): void => {
      const late = due.filter(({ name, boundMs }) => boundMs <= withinMs && !results.has(name))
      expect(late.map(({ name }) => `${name} after ${moves} moves`)).toEqual([])
    }
    expectAll(atOnce)
    await pass(world, 10_000)
    expectAll(10_000)
    await fault.heal?.(scene)
    await pass(world, 60_000)
    expectAll(untilHealed)
    const wrong = due.filter(({ name, right = () => true }) => {
      const result = results.get(name) as { value?: unknown; error?: unknown }
      return 'error' in result ? !fault.closes || result.error !== 'closed' : !right(result.value)
    })
    expect(wrong.map(({ name }) => [name, results.get(name)])).toEqual([])
    if (!fault.closes) expect([kith.status, kith.unsent]).toEqual(['synced', 0])
    await expectEnd(world, kith, fault.closes ? 'closed' : 'open')
    expect(world.wrong).toEqual([])
    await world.end()
  }
})

test.each(modes)(
  'a whenSynced that is aborted rejects at once while nothing can be synced, in a tab %s',
  async mode => {
    const { world, device, tab } = await begin(mode)
    device.isCut = true
    const abort = new AbortController()
    let code: unknown
    const kith = tab.kith as Kith
    await kith.ownProfile.set('name', 'Ada')
    kith.whenSynced({ signal: abort.signal }).catch((error: { code: string }) => {
      code = error.code
    })
    await pass(world, 60_000)
    expect(code).toBeUndefined()
    abort.abort()
    await world.settle()
    expect(code).toBe('aborted')
    await world.end()
  },
)

/** `close()` and `erase()` complete too, and later calls are refused. */
async function expectEnd(world: World, kith: Kith, state: 'closed' | 'open'): Promise<void> {
  const ends: unknown[] = []
  if (state === 'open') void kith.erase({ force: true }).then(() => ends.push('erased'))
  await world.settle()
  void kith.close().then(() => ends.push('closed'))
  await world.settle()
  expect(ends).toEqual(state === 'open' ? ['erased', 'closed'] : ['closed'])
  for (const { name, begin: beginCall } of written) {
    const refused = await beginCall(kith).catch(({ code }: { code?: string }) => code)
    expect([name, refused]).toEqual([name, 'closed'])
  }
  await expect(kith.whenSynced()).rejects.toMatchObject({ code: 'closed' })
  await expect(kith.send('bob', 'hello')).rejects.toMatchObject({ code: 'closed' })
}

/** Alice's device, synced with the server, and Bob's device, which accepts her messages. */
async function begin(mode: (typeof modes)[number]): Promise<Scene> {
  const world = await World.begin({ seed: 1, hasTabs: mode !== 'alone' })
  const [device, bob] = [world.device('alice', 'Alice’s phone'), world.device('bob', 'Bob’s phone')]
  await world.open(bob)
  await world.open(device)
  if (mode !== 'alone') await world.open(device)
  await pass(world, 3_000)
  if (mode === 'beside the tab with the connection') device.turn()
  const [tab, other] = device.tabs as [Tab, Tab | undefined]
  await tab.kith?.ownProfile.set('mood', 'well')
  await pass(world, 2_000)
  expect([tab.kith?.status, tab.kith?.unsent]).toEqual(['synced', 0])
  return { world, device, tab, other }
}

async function pass(world: World, ms: number): Promise<void> {
  await world.settle()
  await world.flow()
  await world.pass(ms, true)
  await world.flow()
}

function cut(world: World, told: 'both' | 'device' | 'server'): void {
  for (const wire of world.network.wires) if (wire.url.endsWith('/alice')) world.network.cut(wire, told)
}

function partition(device: Device, isCut: boolean): void {
  device.isCut = isCut
}

async function saved(kith: Kith): Promise<void> {
  const bob = coreOf(kith).shown.profile('bob')
  bob.setProfileAccessLevels([1, 2])
  await bob.save()
}

async function synced(kith: Kith, how: 'sync' | 'syncNow'): Promise<unknown> {
  const synchronizer = new ContactSynchronizer(kith)
  synchronizer.subscribe(true)
  const many = Array.from({ length: 50 }, (_, index) => `${how} ${index}`)
  if (how === 'sync') return synchronizer.sync(many)
  await synchronizer.syncAsUpdate(many, false)
  return synchronizer.syncNow()
}

function first<T>(observable: Subscribable<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const subscription = observable.subscribe(value => {
      resolve(value)
      queueMicrotask(() => subscription.unsubscribe())
    }, reject)
  })
}
