import { type Audience, flatMapsOf, nonceKey, rosterSettings } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { engineWorld, rest } from '../support/engine-world.ts'
import type { Device } from '../support/raw-device.ts'
import { BackendEdits, userChange } from '../support/server-internals.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'

const path = '/v1/users/alice/message-policy'

function audienceOn(device: Device): Audience {
  return rosterSettings(flatMapsOf(device.roster)).messageAudience
}

async function set(world: World, audience: Audience): Promise<void> {
  expect(await world.admin('PUT', path, { audience })).toEqual({ status: 200, body: { audience } })
}

async function read(world: World): Promise<unknown> {
  return (await world.admin('GET', path)).body
}

/** Sends a message. Resolves to whether it arrived. */
async function arrives(world: World, from: Device, to: Device): Promise<boolean> {
  const count = to.frames.length
  const outcome = from.sendMessage(to.user, 'hello')
  await rest()
  world.clock.move(10_000)
  await outcome
  await settle(to)
  return to.frames.slice(count).some(({ type }) => type === 'message')
}

test("[R4] the backend's message policy shows on the user's devices, decides whose messages arrive, and gives way to a later choice of the user", async () => {
  const world = await serverWorld()
  const [alice, tablet, bob, stranger] = await world.devices('alice', 'alice', 'bob', 'stranger')
  alice.edit('bob', { levels: [] })
  await settle(alice)
  expect(await read(world)).toEqual({ audience: 'everyone' })
  await set(world, 'contacts')
  await settle(alice, tablet)
  expect([alice, tablet].map(audienceOn)).toEqual(['contacts', 'contacts'])
  expect([await arrives(world, stranger, alice), await arrives(world, bob, alice)]).toEqual([false, true])
  tablet.setMessageAudience('everyone')
  await settle(tablet, alice)
  expect(await read(world)).toEqual({ audience: 'everyone' })
  expect(await arrives(world, stranger, alice)).toBe(true)
  tablet.setMessageAudience('nobody')
  await settle(tablet)
  expect(await read(world)).toEqual({ audience: 'nobody' })
  await set(world, 'everyone')
  await settle(alice, tablet)
  expect([alice, tablet].map(audienceOn)).toEqual(['everyone', 'everyone'])
  expect(await arrives(world, stranger, alice)).toBe(true)
  expect(await world.check()).toEqual([])
})

test('[F3] the message policy of a user without a roster counts at once, and on the first device', async () => {
  const world = await serverWorld()
  await world.admin('PUT', '/v1/users/alice')
  await set(world, 'contacts')
  await world.admin('PUT', '/v1/users/bob')
  const communication = await world.admin('GET', '/v1/communication?from=bob&to=alice')
  expect(communication.body).toEqual({ allowed: false, reason: 'not-granted' })
  const [alice] = await world.devices('alice')
  expect(audienceOn(alice)).toBe('contacts')
  alice.setMessageAudience('everyone')
  await settle(alice)
  expect(await read(world)).toEqual({ audience: 'everyone' })
  expect(await world.check()).toEqual([])
})

test('[F3] an id without an account has no message policy, and setting one registers nobody', async () => {
  const world = await serverWorld()
  const unknown = { status: 404, body: { error: { code: 'unknown-user', message: expect.any(String) } } }
  expect(await world.admin('GET', path)).toEqual(unknown)
  expect(await world.admin('PUT', path, { audience: 'nobody' })).toEqual(unknown)
  expect(await world.admin('GET', '/v1/users/alice')).toEqual(unknown)
  await world.admin('PUT', '/v1/users/alice')
  expect(await read(world)).toEqual({ audience: 'everyone' })
})

test('[R3] a message policy that stands already writes nothing', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  await set(world, 'nobody')
  await settle(alice)
  const before = Y.encodeStateAsUpdate(alice.roster)
  await set(world, 'nobody')
  await settle(alice)
  expect(Y.encodeStateAsUpdate(alice.roster)).toEqual(before)
})

test.each<[backend: Audience, device: Audience]>([
  ['nobody', 'everyone'],
  ['everyone', 'nobody'],
])(
  '[R4] of a message policy %s by the backend and %s by a device that had not heard of it, the narrower stays',
  async (backend, device) => {
    const world = await serverWorld()
    const [alice] = await world.devices('alice')
    alice.setMessageAudience('contacts')
    await settle(alice)
    await alice.close()
    await set(world, backend)
    alice.setMessageAudience(device)
    await alice.signIn()
    await settle(alice)
    expect([audienceOn(alice), await read(world)]).toEqual(['nobody', { audience: 'nobody' }])
  },
)

test.each([1, 2])(
  '[D7] of a message policy whose account is erased before step %i of its edit nothing is left for the next holder',
  async step => {
    const { engine, store } = await engineWorld()
    const { accounts } = engine.context
    await store.commit(userChange('alice'))
    const of = accounts.of.bind(accounts)
    let calls = 0
    let erasure: Promise<unknown> | undefined
    accounts.of = user => {
      calls++
      // The first call is for the read. The second is for the write, which is queued behind the erasure.
      if (calls === step) erasure = accounts.erase('alice')
      return of(user)
    }
    const set = new BackendEdits(store, accounts).setMessageAudience('alice', 'nobody')
    await expect(set).rejects.toThrow('no user has this id')
    await erasure
    await store.commit(userChange('alice'))
    expect((await store.document('alice', 'roster')).parts).toEqual([])
    expect((await store.user('alice')).messageAudience).toBe(undefined)
  },
)

test('[R4] message policies that come at the same time are set one after the other, in their order', async () => {
  const { engine, store } = await engineWorld()
  await store.commit(userChange('alice'))
  const edits = new BackendEdits(store, engine.context.accounts)
  const orders: Audience[][] = [
    ['nobody', 'contacts'],
    ['everyone', 'nobody', 'everyone'],
    ['contacts', 'everyone', 'nobody', 'contacts'],
  ]
  for (const order of orders) {
    await Promise.all(order.map(audience => edits.setMessageAudience('alice', audience)))
    expect((await store.user('alice')).messageAudience ?? 'everyone').toBe(order.at(-1))
  }
})

test('[R4][S3] a roster that is full admits a narrower message policy', async () => {
  const world = await serverWorld({ limits: { rosterBytes: 2_000 } })
  const [alice] = await world.devices('alice')
  for (let count = 0; count < 60; count++) alice.edit(`contact ${count}`, { label: 'x'.repeat(20) })
  expect(await alice.barrier()).toBe(false)
  await set(world, 'nobody')
  const [tablet] = await world.devices('alice')
  expect(audienceOn(tablet)).toBe('nobody')
  expect(await world.check()).toEqual([])
})

test('[R4][S3] a message policy that has no room even so is refused with the code that a device would get, and changes nothing', async () => {
  const world = await serverWorld({ limits: { rosterBytes: 500, historyBytes: 6_000 } })
  const [alice] = await world.devices('alice')
  let count = 0
  // Until the server refuses the next block.
  do {
    count++
    alice.change([{ root: 'blocks', key: nonceKey(`nonce-${count}`.padEnd(12, '-'), 'bob'), value: true }])
  } while (await alice.barrier())
  expect(count).toBeLessThan(1_000)
  expect(await world.admin('PUT', path, { audience: 'nobody' })).toMatchObject({
    status: 400,
    body: { error: { code: 'roster-too-large' } },
  })
  expect(await read(world)).toEqual({ audience: 'everyone' })
})

test.each([[{ audience: 'friends' }], [{ audience: true }], [{ messages: 'nobody' }], [[]], [{}]])(
  'the message policy %j is malformed, and the answer says what is known',
  async policy => {
    const world = await serverWorld()
    await world.admin('PUT', '/v1/users/alice')
    const { status, body } = await world.admin('PUT', path, policy)
    expect([status, body]).toEqual([400, { error: { code: 'malformed', message: expect.any(String) } }])
    if (JSON.stringify(policy).includes('friends')) {
      expect(body).toMatchObject({ error: { message: 'audience must be one of everyone, contacts, nobody' } })
    }
    expect(await read(world)).toEqual({ audience: 'everyone' })
  },
)

test.each(['set', 'repeated'])(
  '[V4] a narrower message policy that is %s is answered when every node has applied it',
  async how => {
    const { engine, hold, store } = await engineWorld()
    const inject = (method: 'PUT', url: string, payload = {}): Promise<{ statusCode: number }> =>
      engine.api.inject({ method, url, payload, headers: { authorization: 'Bearer the admin key of these tests' } })
    await inject('PUT', '/v1/users/alice')
    if (how === 'repeated') await inject('PUT', path, { audience: 'nobody' })
    const read = hold('whenEverywhere')
    let isAnswered = false
    const answer = inject('PUT', path, { audience: 'nobody' }).then(({ statusCode }) => {
      isAnswered = true
      return statusCode
    })
    // The read roster. Its content may not be applied on all nodes yet.
    let release = await read
    if (how === 'set') {
      const written = hold('whenEverywhere')
      release()
      release = (await Promise.race([written, answer])) as () => void
    }
    await rest()
    expect([(await store.user('alice')).messageAudience, isAnswered]).toEqual(['nobody', false])
    release()
    expect(await answer).toBe(200)
  },
)

test.each<[policy: Audience, own: Audience, arriving: string[]]>([
  ['everyone', 'everyone', ['contact', 'stranger']],
  ['contacts', 'everyone', ['contact']],
  ['everyone', 'contacts', ['contact']],
  ['contacts', 'contacts', ['contact']],
  ['contacts', 'nobody', []],
  ['nobody', 'everyone', []],
])(
  'with the message policy %s of the server and %s of the user, messages of %j arrive, and the backend hears the same',
  async (messagePolicy, own, arriving) => {
    const world = await serverWorld({ messagePolicy })
    const [alice, tablet, contact, stranger] = await world.devices('alice', 'alice', 'contact', 'stranger')
    alice.edit('contact', { levels: [] })
    await settle(alice)
    await set(world, own)
    for (const sender of [contact, stranger]) {
      const isAllowed = arriving.includes(sender.user)
      expect([sender.user, await arrives(world, sender, alice)]).toEqual([sender.user, isAllowed])
      const { body } = await world.admin('GET', `/v1/communication?from=${sender.user}&to=alice`)
      expect(body).toEqual({ allowed: isAllowed, reason: isAllowed ? 'allowed' : 'not-granted' })
    }
    expect(await tablet.sendMessage('alice', 'to myself')).toBe('delivered')
    await settle(alice)
    expect([audienceOn(alice), await read(world)]).toEqual([own, { audience: own }])
  },
)

test('[V3] a message policy of the server does not change who sees a profile', async () => {
  const world = await serverWorld({ messagePolicy: 'nobody' })
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.setField('name', 'Ada')
  bob.edit('alice', { isSubscribed: true })
  await settle(alice, bob)
  expect(bob.sees('alice')).toEqual({ name: 'Ada' })
  expect(await world.visibleLevels('alice', 'bob')).toEqual([0])
})
