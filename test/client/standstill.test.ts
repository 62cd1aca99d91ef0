import type { Delivery, Kith, Status } from '@kith/client'
import { decodeFrame } from '@kith/shared/wire'
import { expect, onTestFinished, test } from 'vitest'
import type { Device } from '../simulation/world/device.ts'
import { World } from '../simulation/world/world.ts'
import { coreOf } from '../support/client-internals.ts'

test('a tab without an answer from the leader is offline within 6 s, and takes over within 15 s', async () => {
  const { world, phone, holder, other } = await twoTabs()
  await world.freeze(phone)
  const seen = statuses(other)
  await save(world, other)
  expect([other.unsent > 0, other.status]).toEqual([true, 'syncing'])
  await pass(world, 6_000)
  expect([other.status, seen.at(-1)]).toEqual(['offline', 'offline'])
  await pass(world, 9_000)
  expect([other.status, other.unsent]).toEqual(['synced', 0])
  expect(seen.slice(seen.indexOf('offline'))).toEqual(['offline', 'connecting', 'syncing', 'synced'])
  expect(await onServer(world)).toEqual({ name: 'Ada', isBobBlocked: true })
  expect(coreOf(holder).store.documents.roster).toBeDefined()
})

test('[V6] a tab that stood still sends and receives nothing after another took over, and follows it', async () => {
  const { world, phone, holder, other } = await twoTabs()
  // The tab with the connection is sending a change when it freezes.
  void holder.ownProfile.set('mood', 'well')
  await world.settle()
  const [old] = openWires(world)
  const seen = statuses(holder)
  await world.freeze(phone)
  await save(world, other)
  await pass(world, 15_000)
  expect(other.status).toBe('synced')
  const [sentBefore, frames] = [old?.up.length, framesOf(world)]
  await world.thaw(phone)
  expect(old?.hasDeviceEnded).toBe(true)
  await world.flow()
  expect(old?.up.length).toBe(sentBefore)
  await pass(world, 2_000)
  expect(frames.from(old)).toEqual([])
  expect(openWires(world)).toHaveLength(1)
  expect(seen.filter((status, index) => status === 'synced' && index < seen.length - 1)).toEqual([])
  expect([holder.status, holder.unsent, other.status]).toEqual(['synced', 0, 'synced'])
  // It remains usable, and takes over in its turn.
  await holder.ownProfile.set('mood', 'better')
  await pass(world, 2_000)
  expect(holder.unsent).toBe(0)
  const closing = other.close()
  phone.tabs.splice(0, 1)[0]?.kill()
  await world.settle()
  await closing
  await holder.ownProfile.set('mood', 'best')
  await pass(world, 2_000)
  expect([holder.status, holder.unsent]).toEqual(['synced', 0])
  expect(world.wrong).toEqual([])
})

test('a tab that stood still and was not replaced continues on the same connection', async () => {
  const { world, phone, holder, other } = await twoTabs()
  const [wire] = openWires(world)
  await world.freeze(phone)
  await save(world, other)
  await pass(world, 8_000)
  expect(other.status).toBe('offline')
  await world.thaw(phone)
  await pass(world, 2_000)
  expect([holder.status, other.status, holder.unsent, other.unsent]).toEqual(['synced', 'synced', 0, 0])
  expect(openWires(world)).toEqual([wire])
})

test('[V7] frames that a tab received while it stood still do not overwrite newer ones', async () => {
  const { world, phone, other, bob } = await twoTabs()
  const bobHere = bob.tab?.kith as Kith
  await bobHere.ownProfile.set('name', 'Bob')
  other.getProfile('bob')
  await pass(world, 2_000)
  expect(other.getProfile('bob').get('name')).toBe('Bob')
  // The old name is in flight to the frozen tab. The new one reaches the other tab.
  await bobHere.ownProfile.set('name', 'Robert')
  const [old] = openWires(world, phone)
  while ((old?.down.length ?? 0) === 0 && (await world.next(0)));
  await world.freeze(phone)
  await pass(world, 15_000)
  await bobHere.ownProfile.set('name', 'Rob')
  await pass(world, 2_000)
  expect(other.getProfile('bob').get('name')).toBe('Rob')
  await world.thaw(phone)
  await pass(world, 2_000)
  expect(phone.tabs.map(({ kith }) => kith?.getProfile('bob').get('name'))).toEqual(['Rob', 'Rob'])
})

test.each(['frozen', 'offline', 'without a connection'] as const)(
  'send has an outcome within 10 s in every tab, with the tab that has the connection %s, and is sent at most once',
  async how => {
    const { world, phone, holder, other, bob } = await twoTabs()
    const heard: string[] = []
    bob.tab?.kith?.on('message', ({ text }) => heard.push(text))
    if (how === 'frozen') await world.freeze(phone)
    if (how === 'offline') phone.isCut = true
    if (how === 'without a connection') holder.disconnect()
    await world.settle()
    const outcomes: (Delivery | string)[] = []
    const senders = how === 'frozen' ? [other] : [holder, other]
    for (const kith of senders) note(outcomes, kith.send('bob', 'hello'))
    await pass(world, 10_000)
    expect(outcomes).toHaveLength(senders.length)
    expect(outcomes.every(outcome => outcome === 'undelivered' || outcome === 'unconfirmed')).toBe(true)
    await world.thaw(phone)
    phone.isCut = false
    await pass(world, 30_000)
    expect(heard.length).toBeLessThanOrEqual(outcomes.filter(outcome => outcome === 'unconfirmed').length)
  },
)

test('a message that came while a tab stood still is shown once and acknowledged once', async () => {
  const { world, phone, holder, other, bob } = await twoTabs()
  bob.tab?.kith?.getProfile('alice') // So that he may know whether she is there.
  await pass(world, 2_000)
  const shown: string[] = []
  for (const kith of [holder, other]) kith.on('message', ({ text }) => shown.push(text))
  await world.freeze(phone)
  const outcomes: (Delivery | string)[] = []
  note(outcomes, bob.tab?.kith?.send('alice', 'to a tab that stands still') as Promise<Delivery>)
  await pass(world, 16_000)
  note(outcomes, bob.tab?.kith?.send('alice', 'to the next') as Promise<Delivery>)
  await pass(world, 1_000)
  await world.thaw(phone)
  await pass(world, 2_000)
  expect(outcomes[1]).toBe('delivered')
  expect(shown.filter(text => text === 'to the next')).toHaveLength(2) // Once in each tab.
  expect(shown).toHaveLength(2)
  expect(world.wrong).toEqual([])
})

test('whenSynced in any tab continues with the tab that takes over, also in the tab that stood still', async () => {
  const { world, phone, holder, other } = await twoTabs()
  phone.isCut = true
  await holder.ownProfile.set('name', 'Ada')
  await world.settle()
  const ends: string[] = []
  const synced = [holder, other].map((kith, index) => kith.whenSynced().then(() => ends.push(`tab ${index}`)))
  await world.settle()
  await world.freeze(phone)
  phone.isCut = false
  await pass(world, 15_000)
  await world.thaw(phone)
  await pass(world, 5_000)
  await Promise.all(synced)
  expect(ends).toHaveLength(2)
})

test('while the tab with the connection stands still, connect and disconnect of another count once it has taken over', async () => {
  const { world, phone, other } = await twoTabs()
  await world.freeze(phone)
  other.disconnect()
  await pass(world, 20_000)
  expect([other.status, openWires(world).filter(({ hasDeviceEnded }) => !hasDeviceEnded).length]).toEqual([
    'offline',
    1,
  ])
  await world.thaw(phone)
  await pass(world, 5_000)
  expect(openWires(world)).toHaveLength(0)
  other.connect()
  await pass(world, 5_000)
  expect(phone.tabs.map(({ kith }) => kith?.status)).toEqual(['synced', 'synced'])
})

/** Alice's phone with two tabs synced with the server, the tab with the connection first; and Bob's phone. */
async function twoTabs(): Promise<{ world: World; phone: Device; holder: Kith; other: Kith; bob: Device }> {
  const world = await World.begin({ seed: 1, hasTabs: true })
  onTestFinished(() => world.end())
  const [phone, bob] = [world.device('alice', 'Alice’s phone'), world.device('bob', 'Bob’s phone')]
  for (const device of [phone, phone, bob]) await world.open(device)
  await pass(world, 3_000)
  const [holder, other] = phone.tabs.map(({ kith }) => kith as Kith) as [Kith, Kith]
  expect([holder.status, other.status, bob.tab?.kith?.status]).toEqual(['synced', 'synced', 'synced'])
  return { world, phone, holder, other, bob }
}

/** Saves three changes, including a block. */
async function save(world: World, kith: Kith): Promise<void> {
  const bob = kith.getProfile('bob')
  bob.block(true)
  const saving = [bob.save(), kith.ownProfile.set('name', 'Ada'), kith.ownProfile.set('phone', '1', { level: 2 })]
  await world.settle()
  await Promise.all(saving)
}

async function onServer(world: World): Promise<{ name: unknown; isBobBlocked: boolean }> {
  const facts = world.record.now.accounts.get('alice')?.facts ?? new Map<string, unknown>()
  return { name: facts.get('field 0 name'), isBobBlocked: facts.has('block bob') }
}

/** Lets time pass while the network works. */
async function pass(world: World, ms: number): Promise<void> {
  await world.settle()
  await world.flow()
  await world.pass(ms, true)
  await world.flow()
}

function statuses(kith: Kith): Status[] {
  const seen: Status[] = []
  kith.on('status', status => seen.push(status))
  return seen
}

function openWires(world: World, device?: Device): World['network']['wires'][number][] {
  return world.network.wires.filter(({ hasDeviceEnded, isAnswered, caller, url }) => {
    const isOf = device ? device.tabs.some(tab => tab === caller) : url.endsWith('/alice')
    return isOf && isAnswered && !hasDeviceEnded
  })
}

/** Records the frames that the server accepts from now on, by connection. */
function framesOf(world: World): { from(wire: object | undefined): string[] } {
  const taken: [object, string][] = []
  const { received } = world.judge
  world.judge.received = (wire, bytes) => {
    taken.push([wire, decodeFrame(bytes).type])
    received.call(world.judge, wire, bytes)
  }
  return { from: wire => taken.filter(([from]) => from === wire).map(([, type]) => type) }
}

function note(outcomes: (Delivery | string)[], sending: Promise<Delivery>): void {
  sending.then(
    outcome => outcomes.push(outcome),
    (error: unknown) => outcomes.push(String(error)),
  )
}
