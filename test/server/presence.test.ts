import { defaultLimits } from '@kith/shared'
import type { PresenceState } from '@kith/shared/wire'
import { describe, expect, test } from 'vitest'
import type { Device } from '../support/raw-device.ts'
import { serverWorld, type World } from '../support/server-world.ts'
import { temporaryFolder } from '../support/stores.ts'

const online = { is: 'online' } as const
const unknown = { is: 'unknown' } as const

/** Resolves when all work under way for these devices has finished. */
async function settled(...devices: Device[]): Promise<void> {
  for (let round = 0; round < 3; round++) for (const device of devices) await device.barrier()
}

/** The presence states of a user that a device received, from a given frame on. */
function told(device: Device, owner: string, from = 0): PresenceState[] {
  const frames = device.frames.slice(from)
  return frames.flatMap(frame => (frame.type === 'presence' && frame.owner === owner ? [frame.state] : []))
}

const watched = new WeakMap<Device, readonly string[]>()

/** Watches these owners, and waits for a response about each new one. */
async function watch(device: Device, ...owners: string[]): Promise<void> {
  const before = watched.get(device) ?? []
  const from = device.frames.length
  watched.set(device, owners)
  device.send({ type: 'watch', owners })
  const isAnswered = (owner: string): boolean => before.includes(owner) || told(device, owner, from).length > 0
  await device.until('answers', () => owners.every(isAnswered))
  await settled(device)
}

/** Lets time pass on the server, in steps in which connected devices answer its pings. */
async function pass(world: World, seconds: number, ...devices: Device[]): Promise<void> {
  for (let left = seconds; left > 0; left -= 5) {
    world.clock.move(Math.min(5, left) * 1000)
    await settled(...devices)
  }
}

/** Bob follows and watches Alice, who is online. */
async function watching(
  options: Parameters<typeof serverWorld>[0] = {},
): Promise<{ world: World; alice: Device; bob: Device }> {
  const world = await serverWorld(options)
  const [alice, bob] = await world.devices('alice', 'bob')
  bob.edit('alice', { isSubscribed: true })
  await settled(bob)
  await watch(bob, 'alice')
  expect(told(bob, 'alice')).toEqual([online])
  return { world, alice, bob }
}

async function confirm(device: Device, owner: string): Promise<void> {
  await settled(device)
  device.confirm(owner)
  await settled(device)
}

function minuteOf(world: World): number {
  return Math.floor(world.clock.now() / 60_000)
}

describe('online and offline', () => {
  test('[V3] a viewer who sees a level of an owner learns when the owner leaves, with the minute, and when they return', async () => {
    const { world, alice, bob } = await watching()
    await alice.close()
    const lastSeenMinute = minuteOf(world)
    await pass(world, 9, bob)
    expect(told(bob, 'alice')).toEqual([online])
    await pass(world, 1, bob)
    expect(told(bob, 'alice')).toEqual([online, { is: 'offline', lastSeenMinute }])
    await pass(world, 100, bob)
    await alice.signIn()
    await settled(bob)
    expect(told(bob, 'alice').slice(2)).toEqual([online])
  })

  test('an owner who returns within the grace period was never offline', async () => {
    const { world, alice, bob } = await watching()
    await pass(world, 10, alice, bob)
    await alice.close()
    await pass(world, 9, bob)
    expect(told(bob, 'alice')).toEqual([online])
    await alice.signIn()
    await pass(world, 30, alice, bob)
    expect(told(bob, 'alice')).toEqual([online])
  })

  test('an owner who leaves is offline within half a minute, also when the machine’s clock is set back meanwhile', async () => {
    const { world, alice, bob } = await watching()
    await alice.close()
    world.clock.leap(-60 * 60_000)
    await pass(world, 30, bob)
    const [, state] = told(bob, 'alice')
    expect(state?.is).toBe('offline')
    expect((state as { lastSeenMinute: number }).lastSeenMinute).toBeLessThanOrEqual(minuteOf(world))
  })

  test('a last-seen time that a clock which was ahead wrote is told once it has passed, not before', async () => {
    const { world, alice, bob } = await watching()
    await alice.close()
    const lastSeenMinute = minuteOf(world)
    await pass(world, 15, bob)
    world.clock.leap(-5 * 60_000)
    const again = async (): Promise<PresenceState | undefined> => {
      await watch(bob)
      await watch(bob, 'alice')
      return told(bob, 'alice').at(-1)
    }
    expect(await again()).toEqual({ is: 'offline', lastSeenMinute: undefined })
    await pass(world, 5 * 60, bob)
    expect(await again()).toEqual({ is: 'offline', lastSeenMinute })
  })

  test('a user is online until the last device has left', async () => {
    const { world, alice, bob } = await watching()
    const [other] = await world.devices('alice')
    await alice.close()
    await pass(world, 30, other, bob)
    expect(told(bob, 'alice')).toEqual([online])
    await other.close()
    await pass(world, 10, bob)
    expect(told(bob, 'alice')).toHaveLength(2)
  })

  test('a device without Kith’s messages does not make its user online', async () => {
    const world = await serverWorld()
    const [bob] = await world.devices('bob')
    const stock = world.device('alice')
    await stock.connect()
    bob.edit('alice', { isSubscribed: true })
    await settled(bob)
    await watch(bob, 'alice')
    expect(told(bob, 'alice')).toEqual([{ is: 'offline' }])
    await stock.hello()
    await pass(world, 10, stock, bob)
    expect(told(bob, 'alice').at(-1)).toEqual(online)
  })

  test('when one of two devices that watch an owner leaves, the other still gets presence', async () => {
    const { world, alice, bob } = await watching()
    const carol = world.device('carol')
    await carol.signIn()
    carol.edit('alice', { isSubscribed: true })
    await settled(carol)
    await watch(carol, 'alice')
    await carol.close()
    await settled(bob)
    await alice.close()
    await pass(world, 15, bob)
    expect(told(bob, 'alice')).toMatchObject([online, { is: 'offline' }])
  })

  test('no presence is sent for an owner who is no longer watched', async () => {
    const { world, alice, bob } = await watching()
    await watch(bob)
    await alice.close()
    await pass(world, 15, bob)
    expect(told(bob, 'alice')).toEqual([online])
    await watch(bob, 'alice')
    expect(told(bob, 'alice').at(-1)).toMatchObject({ is: 'offline' })
  })

  test('[F1] a returning device gets no presence until it watches again', async () => {
    const { world, bob } = await watching()
    await bob.close()
    const from = bob.frames.length
    await bob.signIn()
    await world.devices('alice')
    await settled(bob)
    expect(bob.frames.slice(from).filter(({ type }) => type === 'presence')).toEqual([])
  })
})

describe('presence that a viewer may not know looks like that of a user who does not exist', () => {
  const losses: [how: string, lose: (world: World, alice: Device, bob: Device) => Promise<unknown>][] = [
    ['[V1] the owner blocks', async (_, alice) => alice.edit('bob', { isBlocked: true })],
    ['[V1] the viewer blocks', async (_world, _alice, bob) => bob.edit('alice', { isBlocked: true })],
    ['[V2] the owner is restricted', world => world.admin('PUT', '/v1/users/alice', { restricted: true })],
    ['[V2] the viewer is restricted', world => world.admin('PUT', '/v1/users/bob', { restricted: true })],
    ['[V3] the owner shows level 0 to nobody', async (_, alice) => alice.setAudience('nobody')],
    ['[V7] the follow ends', async (_world, _alice, bob) => bob.edit('alice', { isSubscribed: false })],
    ['the owner hides it', async (_, alice) => hide(alice, 'nonce-one')],
    ['the owner’s account is erased', world => world.admin('DELETE', '/v1/users/alice')],
  ]
  test.each(losses)('[V8] presence becomes unknown at once when %s', async (_, lose) => {
    const { world, alice, bob } = await watching()
    await watch(bob, 'alice', 'never')
    await lose(world, alice, bob)
    if (alice.isConnected) await settled(alice)
    await settled(bob)
    expect(told(bob, 'alice')).toEqual([online, unknown])
    const frames = ['alice', 'never'].map(name => frameOf(bob, name).replace(hexOf(name), '…'))
    expect(frames[0]).toBe(frames[1])
    await alice.close()
    await pass(world, 30, bob)
    expect(told(bob, 'alice')).toEqual([online, unknown])
  })

  test('[V2][V8] presence of a fetched owner becomes unknown at once when either user is restricted', async () => {
    for (const restricted of ['alice', 'bob']) {
      const world = await serverWorld()
      const [bob] = await world.devices('bob', 'alice')
      await bob.fetch('alice')
      await watch(bob, 'alice')
      await world.admin('PUT', `/v1/users/${restricted}`, { restricted: true })
      await settled(bob)
      expect(told(bob, 'alice')).toEqual([online, unknown])
    }
  })

  test('[V2] pairing shows presence again, and unpairing hides it', async () => {
    const { world, bob } = await watching()
    await world.admin('PUT', '/v1/users/alice', { restricted: true })
    await pass(world, 10, bob)
    await world.admin('PUT', '/v1/pairs/alice/bob')
    await settled(bob)
    expect(told(bob, 'alice')).toEqual([online, unknown, online])
    await world.admin('DELETE', '/v1/pairs/alice/bob')
    await settled(bob)
    expect(told(bob, 'alice').at(-1)).toEqual(unknown)
  })

  test('[R4] presence is hidden as long as any key says so, and the audience stays unchanged', async () => {
    const { world, alice, bob } = await watching()
    hide(alice, 'nonce-one')
    hide(alice, 'nonce-two')
    await settled(alice)
    await pass(world, 10, bob)
    unhide(alice, 'nonce-one')
    await settled(alice, bob)
    expect(told(bob, 'alice')).toEqual([online, unknown])
    expect(await world.visibleLevels('alice', 'bob')).toEqual([0])
    unhide(alice, 'nonce-two')
    await settled(alice, bob)
    expect(told(bob, 'alice')).toEqual([online, unknown, online])
    expect(await world.check()).toEqual([])
  })

  test('[V8] owners who do not exist, block, are not paired, show nothing, hide or are not followed look the same, byte for byte', async () => {
    const world = await serverWorld()
    const names = ['never00', 'blocker', 'apart00', 'nothing', 'hidden0', 'further']
    const [bob, ...others] = await world.devices('bob', ...names.slice(1))
    const of = (name: string): Device => others.find(({ user }) => user === name) as Device
    of('blocker').edit('bob', { isBlocked: true })
    of('nothing').setAudience('nobody')
    hide(of('hidden0'), 'nonce-one')
    await world.admin('PUT', '/v1/users/apart00', { restricted: true })
    for (const name of names.slice(0, -1)) bob.edit(name, { isSubscribed: true })
    await settled(...others, bob)
    await watch(bob, ...names)
    expect(new Set(names.map(name => frameOf(bob, name).replace(hexOf(name), '…'))).size).toBe(1)
    expect(names.flatMap(name => told(bob, name))).toEqual(names.map(() => unknown))
  })

  test('[S4] no presence is sent of an owner whom the viewer neither follows nor fetched, and watching costs no look-up', async () => {
    const world = await serverWorld({ limits: { lookups: 1, lookupsPerDay: 0 } })
    const [bob] = await world.devices('bob', 'alice')
    await watch(bob, 'alice', 'carol', 'dave')
    expect(told(bob, 'alice')).toEqual([unknown])
    expect(await bob.fetch('alice')).toMatchObject({ type: 'access' })
    await settled(bob)
    expect(told(bob, 'alice')).toEqual([unknown, online])
    expect(await bob.fetch('carol')).toMatchObject({ code: 'discovery-limit' })
  })

  test('[S4] a waiting follow gets no presence', async () => {
    const world = await serverWorld({ limits: { follows: 1 } })
    const [bob] = await world.devices('bob', 'alice', 'carol')
    bob.edit('alice', { isSubscribed: true })
    await settled(bob)
    bob.edit('carol', { isSubscribed: true })
    await settled(bob)
    await watch(bob, 'alice', 'carol')
    expect([told(bob, 'alice'), told(bob, 'carol')]).toEqual([[online], [unknown]])
    bob.edit('alice', { isSubscribed: false })
    await settled(bob)
    expect([told(bob, 'alice').at(-1), told(bob, 'carol').at(-1)]).toEqual([unknown, online])
  })

  test('[F4] a viewer who was granted a level gets presence without having fetched the profile', async () => {
    const world = await serverWorld()
    const [alice, bob] = await world.devices('alice', 'bob')
    await watch(bob, 'alice')
    alice.edit('bob', { levels: [3] })
    await settled(alice, bob)
    expect(told(bob, 'alice')).toEqual([unknown, online])
  })

  test('[V4] during the write of a block, the blocked viewer does not learn that the owner comes online', async () => {
    const world = await serverWorld()
    const [alice, bob] = await world.devices('alice', 'bob')
    bob.edit('alice', { isSubscribed: true })
    await settled(bob)
    await alice.close()
    await pass(world, 10, bob)
    await watch(bob, 'alice')
    await alice.connect()
    const writing = world.disk.hold()
    alice.edit('bob', { isBlocked: true })
    await writing
    alice.send({ type: 'hello', version: 1, cursor: alice.cursor })
    await pass(world, 15)
    for (let count = 0; count < 3; count++) await bob.barrier({ withFeed: false })
    world.disk.release()
    await settled(alice, bob)
    expect(told(bob, 'alice').map(({ is }) => is)).toEqual(['offline', 'unknown'])
  })
})

describe('how much presence is sent', () => {
  test('[S3] a device gets the presence of an owner at most once in 10 seconds, however often the owner comes and goes', async () => {
    const { world, alice, bob } = await watching()
    const seconds = 120
    for (let passed = 0; passed < seconds; passed += 12) {
      await alice.close()
      await pass(world, 11, bob)
      await alice.signIn()
      await pass(world, 1, alice, bob)
    }
    const states = told(bob, 'alice')
    expect(states.length).toBeGreaterThan(seconds / 24)
    expect(states.length).toBeLessThanOrEqual(1 + seconds / 10)
    await pass(world, 15, alice, bob)
    expect(told(bob, 'alice').at(-1)).toEqual(online)
  })

  test('[S3] a repeated block and unblock sends at most twice as many presences', async () => {
    const { world, alice, bob } = await watching()
    for (let second = 0; second < 40; second++) {
      alice.edit('bob', { isBlocked: second % 2 === 0 })
      await settled(alice)
      await pass(world, 1, alice, bob)
    }
    const states = told(bob, 'alice')
    expect(states.filter(({ is }) => is === 'online').length).toBeLessThanOrEqual(1 + 40 / 10)
    expect(states.filter(({ is }) => is === 'online').length).toBeGreaterThan(2)
    expect(states.filter(({ is }) => is === 'unknown').length).toBeLessThanOrEqual(1 + 40 / 10)
    await pass(world, 10, alice, bob)
    expect(told(bob, 'alice').at(-1)).toEqual(online)
  })

  test('[S3] the first owners of a watch are watched, up to the limit, and the device gets the ids of the rest', async () => {
    const { bob } = await watching({ limits: { watchedOwners: 2 } })
    bob.send({ type: 'watch', owners: ['alice', 'alice', 'carol', 'dave', 'eve'] })
    await settled(bob)
    expect(bob.all('failure')).toMatchObject([{ code: 'too-many-watched', count: 2, addresses: ['dave', 'eve'] }])
    expect(['carol', 'dave', 'eve'].map(name => told(bob, name).length)).toEqual([1, 0, 0])
  })

  test('[S3] a device that names thousands of owners repeatedly is over the limit, although none of them is new', async () => {
    const { bob } = await watching()
    const owners = Array.from({ length: 4096 }, (_, number) => `user-${number}`)
    for (let round = 0; round < 40; round++) bob.send({ type: 'watch', owners })
    await expect(bob.barrier()).rejects.toThrow('4529 too-many-writes')
  })

  test('[S3] a device that names 4,096 owners once, most of them beyond the limit, stays connected and gets the ids of the rest', async () => {
    const { bob } = await watching()
    const owners = Array.from({ length: 4096 }, (_, number) => `user-${number}`)
    bob.send({ type: 'watch', owners })
    await settled(bob)
    expect(bob.all('failure')).toMatchObject([{ code: 'too-many-watched', count: 4096 - defaultLimits.watchedOwners }])
    expect(bob.isConnected).toBe(true)
  })

  test('[S3] each newly watched owner counts as a write', async () => {
    const { bob } = await watching({ limits: { writesBurst: 60, writesPerSecond: 1 } })
    const some = (name: string): string[] => Array.from({ length: 20 }, (_, index) => `${name}${index}`)
    await watch(bob, ...some('a'))
    await watch(bob, ...some('a'), 'b')
    bob.send({ type: 'watch', owners: some('c') })
    await expect(bob.barrier()).rejects.toThrow('4529 too-many-writes')
  })

  test('[S1] a watch before hello, or of an invalid user id, ends the session', async () => {
    const world = await serverWorld()
    const early = world.device('bob')
    await early.connect()
    early.send({ type: 'watch', owners: ['alice'] })
    expect(await early.closed()).toMatchObject({ code: 4400 })
    const [bob] = await world.devices('bob')
    bob.send({ type: 'watch', owners: [' '] })
    expect(await bob.closed()).toMatchObject({ code: 4400 })
  })
})

describe('last seen', () => {
  test('last seen survives a restart, also for users who were online when the server stopped', async () => {
    const { world, alice, bob } = await watching({ folder: await temporaryFolder() })
    const carol = world.device('carol')
    await carol.signIn()
    bob.edit('carol', { isSubscribed: true })
    await alice.close()
    const [left, stopped] = [minuteOf(world), minuteOf(world) + 2]
    await pass(world, 120, bob, carol)
    await world.restart()
    await bob.signIn()
    watched.delete(bob)
    await watch(bob, 'alice', 'carol')
    expect(told(bob, 'alice').at(-1)).toEqual({ is: 'offline', lastSeenMinute: left })
    expect(told(bob, 'carol')).toEqual([{ is: 'offline', lastSeenMinute: stopped }])
  })

  test('a user who returns during the write of last seen stays online, and leaving again gives the later minute', async () => {
    const { world, alice, bob } = await watching()
    await alice.close()
    const held = world.disk.hold()
    await pass(world, 10, bob)
    await held
    await alice.signIn()
    world.disk.release()
    await pass(world, 10, alice, bob)
    expect(told(bob, 'alice'), 'back while it was written').toEqual([online])

    await alice.close()
    await pass(world, 9, bob)
    const again = world.disk.hold()
    await pass(world, 2, bob)
    await again
    await pass(world, 60, bob)
    await alice.signIn()
    const minute = minuteOf(world)
    await alice.close()
    world.disk.release()
    await pass(world, 1, bob)
    expect(told(bob, 'alice'), 'left again while it was written').toEqual([online])
    await pass(world, 12, bob)
    expect(told(bob, 'alice')).toEqual([online, { is: 'offline', lastSeenMinute: minute }])
  })

  test('last seen is erased with the account', async () => {
    const { world, alice, bob } = await watching()
    hide(alice, 'nonce-one')
    await settled(alice)
    await alice.close()
    await pass(world, 10, bob)
    await world.admin('DELETE', '/v1/users/alice')
    await world.admin('PUT', '/v1/users/alice')
    await confirm(bob, 'alice')
    await pass(world, 10, bob)
    expect(told(bob, 'alice')).toEqual([online, unknown, { is: 'offline' }])
    expect(await world.check()).toEqual([])
  })

  test('last seen is erased with an account whose user is online, and the next holder has none', async () => {
    const { world, bob } = await watching()
    await pass(world, 10, bob)
    await world.admin('DELETE', '/v1/users/alice')
    await world.admin('PUT', '/v1/users/alice')
    await confirm(bob, 'alice')
    await pass(world, 30, bob)
    expect(told(bob, 'alice').slice(1)).toEqual([unknown, { is: 'offline' }])
  })

  test('if the disk refuses last seen, viewers still get offline, with the last stored time', async () => {
    const { world, alice, bob } = await watching()
    await alice.close()
    await pass(world, 10, bob)
    const before = told(bob, 'alice').at(-1)
    await pass(world, 120, bob)
    await alice.signIn()
    await pass(world, 10, alice, bob)
    await alice.close()
    world.disk.failNextWrites(1)
    await pass(world, 10, bob)
    expect(told(bob, 'alice').slice(2)).toEqual([online, before])
    expect(world.errors).toEqual([])
  })
})

function hide(device: Device, nonce: string): void {
  device.change([{ root: 'privacy', key: `${nonce}/hidePresence`, value: true }])
}

function unhide(device: Device, nonce: string): void {
  device.change([{ root: 'privacy', key: `${nonce}/hidePresence`, value: undefined }])
}

function hexOf(name: string): string {
  return Buffer.from(`${String.fromCharCode(name.length)}${name}`).toString('hex')
}

/** The last frame about a user's presence. */
function frameOf(device: Device, owner: string): string {
  const index = device.frames.map(frame => frame.type === 'presence' && frame.owner === owner).lastIndexOf(true)
  return Buffer.from(device.bytes[index] ?? []).toString('hex')
}
