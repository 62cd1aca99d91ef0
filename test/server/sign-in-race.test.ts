import { expect, test } from 'vitest'
import { engineWorld, rest } from '../support/engine-world.ts'
import { MemoryStays } from '../support/memory-stays.ts'
import type { Device } from '../support/raw-device.ts'
import { serverWorld } from '../support/server-world.ts'

/** Sends this many writes. Resolves to the close code, or to `undefined` when all were answered. */
async function spend(device: Device, writes: number): Promise<number | undefined> {
  for (let id = 1; id < writes; id++) device.send({ type: 'barrier', id: id + 1_000, withFeed: false })
  return Promise.race([
    device.barrier({ withFeed: false }).then(
      () => undefined,
      async () => (await device.closed()).code,
    ),
    device.closed().then(({ code }) => code),
  ])
}

test('a sign-in while the commit of a revocation is being written ends with 4401', async () => {
  const world = await serverWorld()
  await world.device('alice').signIn()
  const held = world.disk.hold()
  const revoked = world.admin('POST', '/v1/users/alice/sessions/revoke')
  await held
  const late = world.device('alice')
  await late.dial()
  await late.until('the first frame', () => late.frames.length > 0)
  world.disk.release()
  await revoked
  expect(await spend(late, 1)).toBe(4401)
})

test.each(['revoke', 'erase'] as const)(
  'no session begins when %s comes while the token of a sign-in is checked',
  async how => {
    const { engine, store, hold, signIn, ...world } = await engineWorld()
    await store.commit({ type: 'user', user: 'alice' })
    const held = hold('revocation')
    const line = signIn('alice')
    const release = await held
    await world[how]('alice')
    release()
    expect((await line).code).toBe(4500)
    expect([engine.signIns.sessions.size, (await store.user('alice')).registeredAt > 0]).toEqual([0, how === 'revoke'])
  },
)

test('the revocation of one user ends no sign-in of another', async () => {
  const { engine, hold, signIn, revoke } = await engineWorld()
  const held = hold('revocation')
  const line = signIn('bob')
  const release = await held
  await revoke('alice')
  release()
  expect((await line).code).toBe(undefined)
  expect(engine.signIns.sessions.size).toBe(1)
})

test('a revocation ends a sign-in of its time only: the next one begins a session', async () => {
  const { clock, hold, signIn, revoke } = await engineWorld()
  for (let round = 0; round < 2; round++) {
    const held = hold('revocation')
    const line = signIn('alice')
    const release = await held
    clock.move(5)
    await revoke('alice')
    release()
    expect((await line).code).toBe(4500)
    clock.move(5)
    expect((await signIn('alice')).code).toBe(undefined)
  }
})

test('a server that stops while the token of a sign-in is checked begins no session: 1001', async () => {
  const { engine, hold, signIn } = await engineWorld()
  const held = hold('revocation')
  const line = signIn('alice')
  const release = await held
  engine.signIns.stopAccepting()
  release()
  expect((await line).code).toBe(1001)
  expect(engine.signIns.sessions.size).toBe(0)
})

test('a renewal that is checked while its token is revoked keeps no session alive, and leaves no timer', async () => {
  const { engine, clock, hold, signIn, revoke, token } = await engineWorld()
  const line = await signIn('alice')
  await rest()
  const timers = clock.timerCount - 1 // That of the token.
  const held = hold('revocation')
  line.send({ type: 'renew', token: await token('alice') })
  const release = await held
  clock.move(5)
  await revoke('alice')
  release()
  await rest()
  expect(line.code).toBe(4401)
  expect([engine.signIns.sessions.size, clock.timerCount]).toEqual([0, timers])
})

test('[S3] sign-ins of one address at the same moment, of different users, stay within its limit', async () => {
  const { engine, signIn, token } = await engineWorld({ connectionsPerAddress: 3 })
  const users = Array.from({ length: 12 }, (_, index) => `user-${index}`)
  const tokens = await Promise.all(users.map(token))
  const lines = await Promise.all(users.map((user, index) => signIn(user, { token: tokens[index] as string })))
  expect(lines.filter(({ code }) => code === undefined)).toHaveLength(3)
  expect(lines.filter(({ code }) => code === 4529)).toHaveLength(9)
  expect(engine.signIns.sessions.size).toBe(3)
  lines.find(({ code }) => code === undefined)?.drop()
  expect((await signIn('late')).code).toBe(undefined)
  expect((await signIn('too-late')).code).toBe(4529)
  expect((await signIn('elsewhere', { address: '127.0.0.2' })).code).toBe(undefined)
})

test('[S3] sign-ins of one user at the same moment stay within the limit of connections, from any addresses', async () => {
  const { engine, signIn, token } = await engineWorld({ connectionsPerUser: 2 })
  const own = await token('alice')
  const lines = await Promise.all(
    Array.from({ length: 8 }, (_, index) => signIn('alice', { token: own, address: `127.0.0.${index}` })),
  )
  expect(lines.filter(({ code }) => code === undefined)).toHaveLength(2)
  expect(engine.signIns.sessions.size).toBe(2)
})

test('[S3] connections of one user are counted over all nodes, and those of other users are not', async () => {
  const stays = new MemoryStays()
  const { signIn, engine } = await engineWorld({ connectionsPerUser: 3 }, stays)
  stays.add('another node', 'alice')
  stays.add('a third node', 'alice')
  stays.add('a fourth node', 'bob')
  const lines = [await signIn('alice'), await signIn('alice')]
  expect(lines.map(({ code }) => code)).toEqual([undefined, 4529])
  expect(await stays.of('a fifth node').sessionsElsewhere('alice')).toBe(3)
  lines[0]?.drop()
  expect(await stays.of('a fifth node').sessionsElsewhere('alice')).toBe(2)
  expect(engine.signIns.sessions.size).toBe(0)
})

test('[S3] a user who spent the writes, left and returns after the sweep is still over the limit', async () => {
  const world = await serverWorld({ limits: { writesPerSecond: 1, writesBurst: 60 } })
  const [alice] = await world.devices('alice')
  expect(await spend(alice, 100)).toBe(4529)
  world.clock.move(15_000)
  const again = world.device('alice')
  await again.dial()
  expect(await spend(again, 30)).toBe(4529)
  expect((await again.closed()).reason).toMatch(/^too-many-writes /)
})

test('[S3] two devices of one user share their writes, also with a sweep in between', async () => {
  const world = await serverWorld({ limits: { writesPerSecond: 1, writesBurst: 60 } })
  const [phone] = await world.devices('alice')
  const beat = phone.next('awareness')
  world.clock.move(15_000)
  await beat
  const laptop = world.device('alice')
  await laptop.signIn()
  expect(await spend(phone, 35)).toBe(undefined)
  expect(await spend(laptop, 35)).toBe(4529)
})
