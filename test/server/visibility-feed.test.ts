import { expect, test } from 'vitest'
import type { Device } from '../support/raw-device.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'

/** Alice has a name at level 0 and a phone at level 1. She grants level 1 to Bob, who follows her. */
async function acquainted(): Promise<{ world: World; alice: Device; bob: Device }> {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.setField('name', 'Ada')
  alice.setField('phone', '+44', 1)
  alice.edit('bob', { levels: [1] })
  bob.edit('alice', { isSubscribed: true })
  await settle(alice, bob)
  await settle(bob)
  expect(bob.sees('alice')).toEqual({ name: 'Ada', phone: '+44' })
  return { world, alice, bob }
}

const everything = { name: 'Ada', phone: '+44' }

/** Ways to take access away and to give it back, and what is left in between. */
const causes: [name: string, take: (t: Town) => Promise<unknown>, give: (t: Town) => Promise<unknown>, left: object][] =
  [
    ['the owner blocks', edit('alice', 'bob', { isBlocked: true }), edit('alice', 'bob', { isBlocked: false }), {}],
    ['the viewer blocks', edit('bob', 'alice', { isBlocked: true }), edit('bob', 'alice', { isBlocked: false }), {}],
    ['the grant ends', edit('alice', 'bob', { levels: [] }), edit('alice', 'bob', { levels: [1] }), { name: 'Ada' }],
    ['the owner is restricted', restrict('alice', true), restrict('alice', false), {}],
    ['the viewer is restricted', restrict('bob', true), restrict('bob', false), {}],
    ['the restricted two are no longer paired', unpair, pair, {}],
    [
      'the audience becomes nobody, and the grant ends',
      async ({ alice }) => {
        alice.setAudience('nobody')
        alice.edit('bob', { levels: [] })
        await alice.barrier()
      },
      async ({ alice }) => {
        alice.setAudience('everyone')
        alice.edit('bob', { levels: [1] })
        await alice.barrier()
      },
      {},
    ],
    [
      'the audience becomes contacts, and the contact goes',
      async ({ alice }) => {
        alice.setAudience('contacts')
        alice.edit('bob', { levels: null })
        await alice.barrier()
      },
      edit('alice', 'bob', { levels: [1] }),
      {},
    ],
  ]

interface Town {
  world: World
  alice: Device
  bob: Device
}

function edit(who: 'alice' | 'bob', about: string, change: Parameters<Device['edit']>[1]) {
  return async (town: Town): Promise<void> => {
    // If the viewer's device is away, another of the viewer's devices makes the edit.
    const device = town[who].isConnected ? town[who] : (await town.world.devices(who))[0]
    device.edit(about, change)
    await device.barrier()
  }
}

function restrict(user: string, restricted: boolean) {
  return ({ world }: Town): Promise<unknown> => world.admin('PUT', `/v1/users/${user}`, { restricted })
}

async function pair({ world }: Town): Promise<void> {
  await world.admin('PUT', '/v1/pairs/alice/bob')
}

async function unpair({ world }: Town): Promise<void> {
  await world.admin('PUT', '/v1/pairs/alice/bob')
  await world.admin('PUT', '/v1/users/alice', { restricted: true })
  await world.admin('DELETE', '/v1/pairs/alice/bob')
}

for (const [name, take, give, left] of causes) {
  test(`[V1][V2][V3][V7] when ${name}, a connected follower loses the profile at once, and gets it back afterwards`, async () => {
    const town = await acquainted()
    const { alice, bob } = town
    await take(town)
    await settle(bob)
    expect(bob.sees('alice')).toEqual(left)
    alice.setField('phone', 'secret one', 1)
    alice.setField('phone', '+44', 1)
    await settle(alice, bob)
    expect(bob.received('secret one')).toBe(false)
    await give(town)
    await settle(alice, bob)
    expect(bob.sees('alice')).toEqual(everything)
    expect(await town.world.check()).toEqual([])
  })

  test(`[V5][V7][F1] when ${name} while a follower is away, it loses the profile on return, and gets it back on the next return`, async () => {
    const town = await acquainted()
    const { alice, bob } = town
    await bob.close()
    await take(town)
    alice.setField('phone', 'secret two', 1)
    alice.setField('phone', '+44', 1)
    await alice.barrier()
    await bob.connect()
    expect((await bob.hello()).isFresh).toBe(false)
    expect(bob.sees('alice')).toEqual(left)
    await bob.close()
    await give(town)
    await bob.connect()
    expect((await bob.hello()).isFresh).toBe(false)
    expect(bob.sees('alice')).toEqual(everything)
    expect(bob.received('secret two')).toBe(false)
  })
}

test('[V3] the audience decides on level 0 alone, and a grant of 0 counts as a grant', async () => {
  const world = await serverWorld()
  const [alice, contact, granted, stranger] = await world.devices('alice', 'contact', 'granted', 'stranger')
  for (const viewer of [contact, granted, stranger]) viewer.edit('alice', { isSubscribed: true })
  alice.edit('contact', { levels: [] })
  alice.edit('granted', { levels: [0] })
  alice.setField('name', 'Ada')
  const sights = async (): Promise<boolean[]> => {
    await settle(alice, contact, granted, stranger)
    return [contact, granted, stranger].map(viewer => viewer.sees('alice')['name'] === 'Ada')
  }
  expect(await sights()).toEqual([true, true, true])
  alice.setAudience('contacts')
  expect(await sights()).toEqual([true, true, false])
  alice.setAudience('nobody')
  expect(await sights()).toEqual([false, true, false])
  alice.setAudience('everyone')
  expect(await sights()).toEqual([true, true, true])
})

test('[V5] a new viewer gets no byte that was overwritten, removed or erased before', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  alice.setField('name', 'overwritten secret')
  await alice.barrier()
  alice.setField('name', 'Ada')
  alice.setField('bio', 'removed secret')
  await alice.barrier()
  alice.setField('bio', undefined)
  alice.setField('phone', 'moved secret', 2)
  await alice.barrier()
  alice.setField('phone', undefined, 2)
  alice.edit('bob', { levels: [2], label: 'a secret label' })
  await alice.barrier()
  alice.edit('bob', { label: 'Bob' })
  await alice.barrier()
  const [bob, laptop] = await world.devices('bob', 'alice')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  expect(bob.sees('alice')).toEqual({ name: 'Ada' })
  for (const secret of ['overwritten', 'removed', 'moved', 'a secret label']) {
    expect([secret, bob.received(secret), laptop.received(secret)]).toEqual([secret, false, false])
  }
  expect(bob.received('Bob')).toBe(false)
})

test('[V6] a revocation made before an edit takes effect before it, in one burst and offline, with another device in between', async () => {
  const { world, alice, bob } = await acquainted()
  const [laptop] = await world.devices('alice')
  alice.edit('bob', { levels: [] })
  alice.setField('phone', 'secret burst', 1)
  await settle(alice, bob)
  expect(bob.received('secret burst')).toBe(false)
  alice.edit('bob', { levels: [1] })
  await settle(alice, laptop, bob)
  await laptop.close()
  laptop.edit('bob', { levels: [] })
  laptop.setField('phone', 'secret offline', 1)
  alice.setField('city', 'Bath')
  await settle(alice, bob)
  await laptop.signIn()
  await settle(laptop, alice, bob)
  expect(bob.received('secret offline')).toBe(false)
  expect(bob.sees('alice')).toEqual({ name: 'Ada', city: 'Bath' })
  laptop.edit('bob', { levels: [1] })
  await settle(laptop, alice, bob)
  alice.edit('bob', { isBlocked: true })
  await settle(alice, laptop)
  laptop.setField('phone', 'secret after a block', 1)
  await settle(laptop, bob)
  expect(bob.received('secret after a block')).toBe(false)
})

test('[V4] levels revoked while a viewer is catching up are not handed over', async () => {
  const world = await serverWorld()
  const owners = await world.devices('o0', 'o1', 'o2', 'o3', 'o4', 'o5', 'o6', 'o7')
  const bob = world.device('bob')
  for (const [index, owner] of owners.entries()) {
    owner.setField('name', `name of ${index}`)
    bob.edit(owner.user, { isSubscribed: true })
  }
  await settle(...owners)
  await bob.signIn()
  await bob.close()
  for (const [index, owner] of owners.entries()) owner.setField('name', `secret of ${index}`)
  await settle(...owners)
  // Each owner's block meets the catch-up at a different point.
  await bob.connect()
  const revoked = owners.map(async owner => {
    owner.edit('bob', { isBlocked: true })
    await owner.barrier()
    return bob.frames.length
  })
  const helloed = bob.hello()
  const blockedAt = await Promise.all(revoked)
  await helloed
  await settle(bob)
  for (const [index, owner] of owners.entries()) {
    expect(bob.sees(owner.user)).toEqual({})
    // Data handed over before the block may still be in flight. Its withdrawal follows.
    const late = bob.frames.slice(blockedAt[index]).filter(one => 'owner' in one && one.owner === owner.user)
    if (late.length > 0) expect(late.at(-1)).toMatchObject({ type: 'access', levels: [] })
  }
})

test('[V4][V7] a viewer who only fetched loses the profile once the audience is narrowed, or the viewer restricted', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.setField('name', 'Ada')
  await settle(alice)
  await bob.fetch('alice')
  await settle(bob)
  const narrow = (isNarrow: boolean): void => alice.setAudience(isNarrow ? 'nobody' : 'everyone')
  const restricted = (is: boolean): Promise<unknown> => world.admin('PUT', '/v1/users/bob', { restricted: is })
  for (const [shut, secret] of [
    [narrow, 'secret one'],
    [restricted, 'secret two'],
  ] as const) {
    expect(bob.sees('alice')).toEqual({ name: 'Ada' })
    await shut(true)
    await settle(alice, bob)
    expect(bob.sees('alice')).toEqual({})
    alice.setField('name', secret)
    await settle(alice, bob)
    alice.setField('name', 'Ada')
    await shut(false)
    await settle(alice, bob)
    expect(bob.received(secret)).toBe(false)
  }
})

test('[V4][V2] a restricted, paired user who only fetched gets each change of the audience', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.setField('name', 'Ada')
  await settle(alice)
  await world.admin('PUT', '/v1/pairs/alice/bob')
  await world.admin('PUT', '/v1/users/bob', { restricted: true })
  await bob.fetch('alice')
  for (const [audience, expected] of [
    ['nobody', {}],
    ['everyone', { name: 'Ada' }],
  ] as const) {
    alice.setAudience(audience)
    await settle(alice)
    await settle(bob)
    expect(bob.sees('alice'), audience).toEqual(expected)
  }
})

test('[V7] an unfollow on one device withdraws the replica from the others; a fetched one lives for the session', async () => {
  const { world, bob } = await acquainted()
  const [laptop] = await world.devices('bob')
  expect(laptop.sees('alice')).toEqual(everything)
  await laptop.fetch('alice')
  bob.edit('alice', { isSubscribed: false })
  await settle(bob, laptop)
  expect([bob.sees('alice'), laptop.sees('alice')]).toEqual([{}, {}])
  expect(await bob.fetch('alice')).toMatchObject({ levels: [0, 1] })
  await settle(bob, laptop)
  expect([bob.sees('alice'), laptop.sees('alice')]).toEqual([everything, {}])
})

test('[V7] an unrequested owner who is followed and then unfollowed is withdrawn, although it was fetched', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.setField('name', 'Ada')
  alice.edit('bob', { levels: [1] })
  await settle(alice, bob)
  expect(bob.sees('alice')).toEqual({ name: 'Ada' })
  await bob.fetch('alice')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  bob.edit('alice', { isSubscribed: false })
  await settle(bob)
  expect(bob.sees('alice')).toEqual({})
  expect(bob.access.get('alice')?.levels).toEqual([])
})

test('[V7] an owner who was fetched, followed and unfollowed is not shown again by a grant, since the unfollow declines', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.setField('name', 'Ada')
  await settle(alice)
  await bob.fetch('alice')
  for (const isSubscribed of [true, false]) {
    bob.edit('alice', { isSubscribed })
    await settle(bob)
  }
  expect(bob.sees('alice')).toEqual({})
  alice.edit('bob', { levels: [1] })
  await settle(alice, bob)
  expect(bob.sees('alice')).toEqual({})
})

test('[V8] unknown, blocked and invisible owners look the same, byte for byte, when fetched and when followed', async () => {
  const world = await serverWorld()
  const [bob, blocker, hidden, apart] = await world.devices('bob', 'blocker', 'hidden_', 'apart__')
  blocker.edit('bob', { isBlocked: true })
  hidden.setAudience('nobody')
  for (const owner of [blocker, hidden, apart]) owner.setField('name', 'here I am')
  await settle(blocker, hidden, apart)
  await world.admin('PUT', '/v1/users/apart__', { restricted: true })
  const answers = new Set<string>()
  for (const owner of ['unknown', 'blocker', 'hidden_', 'apart__']) {
    const from = bob.bytes.length
    await bob.fetch(owner)
    bob.edit(owner, { isSubscribed: true })
    bob.send({ type: 'barrier', id: 1_000_000, withFeed: true })
    await bob.next('reached', ({ id }) => id === 1_000_000)
    // A cursor shows how much the whole store has written. Nothing else differs.
    const frames = bob.frames.slice(from).map((frame, index) => ({
      ...frame,
      ...('owner' in frame ? { owner: 'OWNER' } : {}),
      ...('cursor' in frame ? { cursor: frame.cursor.length } : {}),
      bytes: bob.bytes[from + index]?.length,
    }))
    answers.add(JSON.stringify(frames))
  }
  expect(answers.size).toBe(1)
  expect(bob.received('here I am')).toBe(false)
  expect(bob.all('access').every(({ hasJustJoined }) => !hasJustJoined)).toBe(true)
})

test('[V8] a stranger who blocks the viewer, or hides, causes no frame', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.setField('name', 'Ada')
  await settle(alice, bob)
  const from = bob.bytes.length
  alice.edit('bob', { isBlocked: true })
  alice.setAudience('nobody')
  await settle(alice, bob)
  expect(bob.bytes.slice(from)).toHaveLength(2)
})

test('[F1] a follower that is connected gets a change at once, in one frame', async () => {
  const { alice, bob } = await acquainted()
  const from = bob.frames.length
  const change = bob.next('profile')
  alice.setField('name', 'Augusta')
  expect(await change).toMatchObject({ owner: 'alice', level: 0, fields: { name: 'Augusta' } })
  expect(bob.frames).toHaveLength(from + 1)
})

test('[F1] a return without changes costs the same few bytes for 10 follows as for 1,000', {
  timeout: 60_000,
}, async () => {
  const world = await serverWorld()
  const [few, many, owner] = await world.devices('few', 'man', 'owner')
  owner.setField('name', 'Oona')
  few.change(Array.from({ length: 10 }, (_, n) => ({ root: 'subscriptions', key: `user ${n}`, value: true })))
  many.change(Array.from({ length: 1000 }, (_, n) => ({ root: 'subscriptions', key: `user ${n}`, value: true })))
  for (const device of [few, many]) device.edit('owner', { isSubscribed: true })
  await settle(few, many, owner)
  const costs: number[] = []
  for (const device of [few, many]) {
    await device.close()
    await device.connect()
    expect((await device.hello()).isFresh).toBe(false)
    await device.barrier()
    await device.close()
    const from = device.frames.length
    await device.connect()
    expect((await device.hello()).isFresh).toBe(false)
    await device.barrier()
    const isFeed = (_: unknown, index: number): boolean => device.frames[from + index]?.type !== 'rosterSync'
    costs.push(
      device.bytes
        .slice(from)
        .filter(isFeed)
        .reduce((sum, { length }) => sum + length, 0),
    )
    expect(device.frames.slice(from).filter(({ type }) => type === 'access' || type === 'profile')).toEqual([])
  }
  expect(costs[0]).toBe(costs[1])
  expect(costs[0]).toBeLessThan(1024)
})

test('[F1] a device that returns gets the levels that changed, and no other', async () => {
  const { alice, bob } = await acquainted()
  await bob.close()
  alice.setField('phone', '+49', 1)
  await settle(alice)
  const from = bob.frames.length
  await bob.connect()
  await bob.hello()
  const came = bob.frames.slice(from).filter(({ type }) => type === 'profile' || type === 'access')
  expect(came).toMatchObject([{ type: 'profile', level: 1, fields: { phone: '+49' } }])
})

test('[F1] an invalid cursor starts a fresh feed: of another store, garbage, from the future, none', async () => {
  const { world, alice, bob } = await acquainted()
  const elsewhere = await acquainted()
  const future = Uint8Array.of(...bob.cursor.subarray(0, 8), 0xff, 0xff, 0x7f)
  const cursors = [elsewhere.bob.cursor, Uint8Array.of(1, 2, 3), future, new Uint8Array(), new Uint8Array(64).fill(255)]
  alice.edit('bob', { levels: [] })
  await alice.barrier()
  for (const cursor of cursors) {
    const [other] = await world.devices('bob')
    await other.close()
    other.replicas = structuredClone(elsewhere.bob.replicas)
    await other.connect()
    expect((await other.hello(cursor)).isFresh).toBe(true)
    expect(other.sees('alice')).toEqual({ name: 'Ada' })
    await other.close()
  }
})

test('[F1] a connected device gets all changes of one commit of several owners, like a returning device', async () => {
  const world = await serverWorld()
  const [alice, carol, erin, bob] = await world.devices('alice', 'carol', 'erin', 'bob')
  // Erin's frame of Alice is made first, and may carry the cursor already. Bob's may not.
  erin.edit('alice', { isSubscribed: true })
  await settle(erin)
  for (const owner of ['alice', 'carol']) bob.edit(owner, { isSubscribed: true })
  await settle(alice, carol, bob)
  const held = world.disk.hold()
  bob.edit('dave', { label: 'Dave' })
  await held
  // These two share the next write.
  alice.setField('name', 'Ada')
  carol.setField('name', 'Caroline')
  for (const owner of [alice, carol]) owner.send({ type: 'queryAwareness' })
  await Promise.all([alice.next('awareness'), carol.next('awareness')])
  const from = bob.frames.length
  world.disk.release()
  await settle(alice, carol, bob)
  const changes = bob.frames.slice(from).filter(frame => frame.type === 'profile')
  expect(changes.map(({ owner }) => owner).sort()).toEqual(['alice', 'carol'])
  // A device that disconnects after the first of them must still receive the second.
  expect(changes.map(({ cursor }) => cursor.length > 0)).toEqual([false, true])
})

test('[F2] a device that reads nothing costs bounded memory, and gets the newest state when it reads', {
  timeout: 60_000,
}, async () => {
  const world = await serverWorld({ limits: { outstandingBytes: 64 * 1024, writesBurst: 100_000, workBurst: 100_000 } })
  const [alice, bob] = await world.devices('alice', 'bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  const socket = (bob.socket as unknown as { _socket: { pause(): void; resume(): void } })._socket
  socket.pause()
  const rounds = 600
  for (let round = 1; round <= rounds; round++) {
    alice.setField('bio', `${round} ${'x'.repeat(60_000)}`)
    if (round % 20 === 0) await alice.barrier()
  }
  await alice.barrier()
  socket.resume()
  await settle(bob)
  expect(String(bob.sees('alice')['bio'])).toMatch(new RegExp(`^${rounds} `))
  expect(bob.all('profile').length).toBeLessThan(rounds / 2)
})

test('[F3] following an unregistered user shows nothing; when the user registers, followers get joined once, at once', async () => {
  const world = await serverWorld()
  const [bob, laptop] = await world.devices('bob', 'bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob, laptop)
  expect(bob.all('access')).toEqual([])
  const joined = bob.next('access')
  const [alice] = await world.devices('alice')
  expect(await joined).toMatchObject({ owner: 'alice', levels: [0], hasJustJoined: true })
  alice.edit('bob', { levels: [1] })
  await settle(alice, bob)
  bob.edit('alice', { isSubscribed: false })
  await settle(bob)
  bob.edit('alice', { isSubscribed: true })
  alice.edit('bob', { isBlocked: true })
  await settle(alice, bob)
  await bob.fetch('alice')
  alice.edit('bob', { isBlocked: false })
  await settle(alice, bob, laptop)
  for (const device of [bob, laptop]) {
    expect(device.all('access').filter(({ hasJustJoined }) => hasJustJoined)).toHaveLength(1)
  }
  await bob.close()
  await bob.signIn()
  expect(bob.all('access').filter(({ hasJustJoined }) => hasJustJoined)).toHaveLength(1)
})

test('[F3] a follower who got joined does not get it again after an unfollow and a fetch', async () => {
  const world = await serverWorld()
  const [bob] = await world.devices('bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  const [alice] = await world.devices('alice')
  await settle(alice, bob)
  bob.edit('alice', { isSubscribed: false })
  await settle(bob)
  await bob.fetch('alice')
  await settle(bob)
  expect(bob.all('access').filter(({ hasJustJoined }) => hasJustJoined)).toHaveLength(1)
})

test('[F3] a follower that is away gets joined on return, once', async () => {
  const world = await serverWorld()
  const [bob] = await world.devices('bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  await bob.close()
  await world.devices('alice')
  for (let round = 0; round < 2; round++) {
    await bob.connect()
    await bob.hello()
    await bob.barrier()
    expect(bob.all('access').filter(({ hasJustJoined }) => hasJustJoined)).toHaveLength(1)
    await bob.close()
  }
})

test('[F3][V8] joined is not sent for a user with announceJoin false, a hidden user, or to users whom the user blocks', async () => {
  const world = await serverWorld()
  const [bob] = await world.devices('bob')
  for (const owner of ['quiet', 'hidden', 'blocker']) bob.edit(owner, { isSubscribed: true })
  await settle(bob)
  await world.admin('PUT', '/v1/users/quiet', { announceJoin: false })
  const [hidden, blocker] = [world.device('hidden'), world.device('blocker')]
  hidden.setAudience('nobody')
  blocker.edit('bob', { isBlocked: true })
  await hidden.signIn()
  await blocker.signIn()
  await settle(bob)
  expect(bob.all('access').map(({ owner, hasJustJoined }) => [owner, hasJustJoined])).toEqual([['quiet', false]])
  hidden.setAudience('everyone')
  await settle(hidden, bob)
  expect(bob.all('access').some(({ hasJustJoined }) => hasJustJoined)).toBe(false)
})

test('[F3] a user registers with the first roster on disk, not by opening a socket', async () => {
  const world = await serverWorld()
  const [bob] = await world.devices('bob')
  const held = world.disk.hold()
  const alice = world.device('alice')
  const connected = alice.connect()
  await held
  expect((await world.admin('GET', '/v1/users/alice')).status).toBe(404)
  world.disk.release()
  await connected
  await alice.barrier()
  expect((await world.admin('GET', '/v1/users/alice')).status).toBe(200)
  expect(await bob.barrier()).toBe(true)
})

test('[F4] a grant puts the owner into the feed without a follow, unless declined, blocked or disabled', async () => {
  const world = await serverWorld()
  const [alice, bob, decliner, blocker, off] = await world.devices('alice', 'bob', 'decliner', 'blocker', 'off')
  decliner.edit('alice', { isSubscribed: false })
  blocker.edit('alice', { isBlocked: true })
  off.change([{ root: 'settings', key: 'autoSync', value: false }])
  await settle(decliner, blocker, off)
  alice.setField('name', 'Ada')
  for (const viewer of ['bob', 'decliner', 'blocker', 'off']) alice.edit(viewer, { levels: [1] })
  await settle(alice, bob, decliner, blocker, off)
  const sights = [bob, decliner, blocker, off].map(device => device.sees('alice'))
  expect(sights).toEqual([{ name: 'Ada' }, {}, {}, {}])
  bob.change([{ root: 'settings', key: 'autoSync', value: false }])
  off.change([{ root: 'settings', key: 'autoSync', value: true }])
  await settle(bob, off)
  expect([bob.sees('alice'), off.sees('alice')]).toEqual([{}, { name: 'Ada' }])
})

test('[F4] beyond the limit of unrequested owners, the viewer’s contacts are shown first', async () => {
  const world = await serverWorld({ limits: { unaskedOwners: 2 } })
  const [bob, ...owners] = await world.devices('bob', 'o1', 'o2', 'o3', 'o4')
  for (const owner of owners) {
    owner.setField('name', owner.user)
    owner.edit('bob', { levels: [1] })
    await settle(owner, bob)
  }
  const shown = (): string[] => owners.map(({ user }) => user).filter(user => bob.sees(user)['name'] === user)
  expect(shown()).toEqual(['o1', 'o2'])
  bob.edit('o4', { levels: [] })
  await settle(bob)
  expect(shown()).toEqual(['o1', 'o4'])
  expect(await world.check()).toEqual([])
})

test('[S3] follows beyond the limit wait; the device gets their number and ids, and they are served when there is room', async () => {
  const world = await serverWorld({ limits: { follows: 2 } })
  const [bob, ...owners] = await world.devices('bob', 'o1', 'o2', 'o3')
  for (const owner of owners) owner.setField('name', owner.user)
  await settle(...owners)
  const failure = bob.next('failure')
  for (const owner of owners) bob.edit(owner.user, { isSubscribed: true })
  expect(await failure).toEqual({
    type: 'failure',
    code: 'too-many-follows',
    retryAfterMs: 0,
    count: 1,
    addresses: ['o3'],
  })
  await settle(bob)
  expect(bob.access.get('o3')).toMatchObject({ levels: [], isWaiting: true })
  expect([bob.sees('o1'), bob.sees('o3')]).toEqual([{ name: 'o1' }, {}])
  bob.edit('o1', { isSubscribed: false })
  await settle(bob)
  await settle(bob)
  expect(bob.access.get('o3')).toMatchObject({ levels: [0], isWaiting: false })
  expect([bob.sees('o1'), bob.sees('o3')]).toEqual([{}, { name: 'o3' }])
  expect(await world.check()).toEqual([])
})

test('[S3][S4] a follow beyond the limit of follows is too-many-follows while one look-up is left, discovery-limit without', async () => {
  for (const [lookups, code] of [
    [3, 'too-many-follows'],
    [2, 'discovery-limit'],
  ] as const) {
    const world = await serverWorld({ limits: { follows: 2, lookups } })
    const [bob] = await world.devices('bob')
    const failure = bob.next('failure')
    for (const owner of ['o1', 'o2', 'o3']) bob.edit(owner, { isSubscribed: true })
    const { code: said, retryAfterMs } = (await failure) as { code: string; retryAfterMs: number }
    expect([said, retryAfterMs > 0]).toEqual([code, code === 'discovery-limit'])
  }
})

for (const returns of [false, true])
  test(`[S3][F1] ${returns ? 'a returning device' : 'a connected device'} learns that a follow waits no longer, also if it shows nothing`, async () => {
    const world = await serverWorld({ limits: { follows: 1 } })
    const [bob] = await world.devices('bob')
    for (const owner of ['xenia', 'yves']) {
      bob.edit(owner, { isSubscribed: true })
      await settle(bob)
    }
    if (returns) {
      await bob.close()
      await bob.signIn()
      await settle(bob)
    }
    expect(bob.access.get('yves')).toMatchObject({ isWaiting: true })
    bob.edit('xenia', { isSubscribed: false })
    await settle(bob)
    await settle(bob)
    expect(bob.access.get('yves')).toMatchObject({ isWaiting: false })
  })

test('[S4] look-ups by follow and fetch share one budget; those beyond it wait, and are served when it has refilled', async () => {
  const world = await serverWorld({ limits: { lookups: 2, lookupsPerDay: 24 } })
  const [bob, ...owners] = await world.devices('bob', 'o1', 'o2', 'o3')
  for (const owner of owners) owner.setField('name', owner.user)
  await settle(...owners)
  expect(await bob.fetch('o1')).toMatchObject({ type: 'access', levels: [0] })
  bob.edit('o1', { isSubscribed: true })
  bob.edit('nobody', { isSubscribed: true })
  await settle(bob)
  expect(await bob.fetch('o2')).toMatchObject({ type: 'failure', code: 'discovery-limit', retryAfterMs: 3_600_000 })
  const failure = bob.next('failure')
  bob.edit('o3', { isSubscribed: true })
  expect(await failure).toMatchObject({ code: 'discovery-limit', count: 1, addresses: ['o3'], retryAfterMs: 3_600_000 })
  await settle(bob)
  expect(bob.access.get('o3')).toMatchObject({ isWaiting: true, levels: [] })
  expect(await bob.fetch('o1')).toMatchObject({ type: 'access', levels: [0] })
  await bob.close()
  world.clock.leap(3_600_000)
  await bob.signIn()
  await settle(bob)
  expect(bob.sees('o3')).toEqual({ name: 'o3' })
  expect(bob.sees('o2')).toEqual({})
})

test('[S4] a waiting follow is served when the budget has refilled, on a device that stays connected', async () => {
  const world = await serverWorld({ limits: { lookups: 1, lookupsPerDay: 86_400 } })
  const [bob, ...owners] = await world.devices('bob', 'o1', 'o2')
  for (const owner of owners) owner.setField('name', owner.user)
  await settle(...owners)
  bob.edit('o1', { isSubscribed: true })
  bob.edit('o2', { isSubscribed: true })
  await settle(bob)
  expect(bob.access.get('o2')).toMatchObject({ isWaiting: true })
  const served = bob.next('profile', message => message.owner === 'o2')
  world.clock.move(1000)
  await served
  expect(bob.access.get('o2')).toMatchObject({ isWaiting: false, levels: [0] })
})

test('[F1] a level that a device has is not sent again by an unrelated commit', async () => {
  const world = await serverWorld()
  const [bob] = await world.devices('bob', 'o1', 'o2')
  await bob.fetch('o2')
  for (const owner of ['nobody', 'o1', 'o2', 'nobody else']) bob.edit(owner, { isSubscribed: true })
  await settle(bob)
  await bob.close()
  const known = bob.all('access').length
  await bob.signIn()
  await settle(bob)
  expect(bob.all('access')).toHaveLength(known)
})

test('[V7] an erased account is withdrawn from its followers, at once and on return', async () => {
  const { world, alice, bob } = await acquainted()
  const [laptop] = await world.devices('bob')
  await laptop.close()
  expect((await world.admin('DELETE', '/v1/users/alice')).status).toBe(204)
  expect((await alice.closed()).code).toBe(4401)
  await settle(bob)
  await laptop.signIn()
  expect([bob.sees('alice'), laptop.sees('alice')]).toEqual([{}, {}])
  expect(await bob.fetch('alice')).toMatchObject({ levels: [], hasJustJoined: false })
  expect(await world.check()).toEqual([])
})

test('[V1][F1] what becomes visible to a user whose other device has not said hello reaches the device that has', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  const silent = world.device('bob')
  await silent.connect()
  alice.setField('name', 'Ada')
  alice.setField('phone', '+44', 1)
  bob.edit('alice', { isSubscribed: true })
  await settle(alice, bob)
  for (const levels of [[1], [], [1]]) {
    alice.edit('bob', { levels })
    await settle(alice, bob)
    expect(bob.sees('alice')).toEqual(levels.length > 0 ? { name: 'Ada', phone: '+44' } : { name: 'Ada' })
  }
  expect([alice.isConnected, bob.isConnected, silent.isConnected]).toEqual([true, true, true])
})
