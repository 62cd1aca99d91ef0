import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { encodeFrame } from '@kith/shared/wire'
import { SignJWT } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import type { Device } from '../support/raw-device.ts'
import { serverWorld, settle } from '../support/server-world.ts'
import { temporaryFolder } from '../support/stores.ts'

/** Opens a socket with these subprotocols. The upgrade completes, and then the socket closes with a code. */
async function refusal(device: Device, offer: string[]): Promise<{ code: number; reason: string }> {
  await device.dial({ offer })
  return device.closed()
}

test('the subprotocol kith.v1 is selected, the token is not sent back, and the first message is a sync step 1', async () => {
  const world = await serverWorld()
  const alice = world.device('alice')
  await alice.dial()
  expect(alice.socket.protocol).toBe('kith.v1')
  expect(alice.socket.extensions).toBe('')
  await alice.until('a frame', () => alice.frames.length > 0)
  expect(alice.frames[0]).toMatchObject({ type: 'rosterSync', step: 'step1' })
})

test('a failed sign-in completes the upgrade and closes with 4401: no token, a wrong one, one of another secret, an expired one', async () => {
  const world = await serverWorld()
  const alice = world.device('alice')
  expect((await refusal(alice, ['kith.v1'])).code).toBe(4401)
  expect((await refusal(alice, ['kith.v1', 'bearer.'])).code).toBe(4401)
  expect((await refusal(alice, ['kith.v1', 'bearer.no-token'])).code).toBe(4401)
  const forged = await new SignJWT({ sub: 'alice' })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode('another secret, also long enough'))
  expect((await refusal(alice, ['kith.v1', `bearer.${forged}`])).code).toBe(4401)
  const token = await world.token('alice', 60)
  world.clock.leap(66_000)
  expect((await refusal(alice, ['kith.v1', `bearer.${token}`])).code).toBe(4401)
  expect(alice.frames).toEqual([])
})

test('a token without a signature is refused with 4401', async () => {
  const world = await serverWorld()
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const unsigned = `${part({ alg: 'none' })}.${part({ sub: 'alice' })}.`
  expect((await refusal(world.device('alice'), ['kith.v1', `bearer.${unsigned}`])).code).toBe(4401)
})

test('a token of another user closes with 4403, and the roster stays unseen', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  alice.edit('bob', { label: 'a label of my own' })
  await alice.barrier()
  const mallory = world.device('alice')
  expect((await refusal(mallory, ['kith.v1', `bearer.${await world.token('mallory')}`])).code).toBe(4403)
  expect(mallory.frames).toEqual([])
})

test('a connection with a token that does not offer kith.v1 closes with 4400', async () => {
  const world = await serverWorld()
  const alice = world.device('alice')
  expect((await refusal(alice, [`bearer.${await world.token('alice')}`])).code).toBe(4400)
})

test('an upgrade on an unknown path gets 404; one with an invalid user id completes, and every token is refused', async () => {
  const world = await serverWorld()
  for (const path of ['/', '/v1', '/v2/roster/alice', '/v1/rosters/alice']) {
    const { statusCode } = await upgradeRequest(world.url + path)
    expect([path, statusCode]).toEqual([path, 404])
  }
  for (const path of ['/v1/roster/', '/v1/roster/%ff', '/v1/roster/%20a']) {
    const device = world.device('alice')
    await device.dial({ path })
    expect([path, (await device.closed()).code]).toEqual([path, 4403])
  }
})

test('an upgrade on another path leaves no socket behind, even if the other side never closes its half', async () => {
  const world = await serverWorld()
  const { port, host } = new URL(world.url)
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  const lines = ['GET / HTTP/1.1', `Host: ${host}`, 'Connection: Upgrade', 'Upgrade: websocket', '', '']
  socket.write(lines.join('\r\n'))
  await once(socket.resume(), 'end')
  // Data sent to a closed socket is answered with a reset. After that, the socket cannot be written to.
  let isGone = false
  socket.on('error', () => {
    isGone = true
  })
  while (!isGone) await new Promise<void>(resolve => socket.write('still here', () => setImmediate(resolve)))
})

function upgradeRequest(url: string): Promise<{ statusCode: number | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    request(url, { headers, path: url.slice(url.indexOf('/', 7)) }, response => {
      response.resume()
      resolve({ statusCode: response.statusCode })
    })
      .on('error', reject)
      .end()
  })
}

test('a user id with any characters signs in with its percent-encoded path', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('+44 1632/960001?#é')
  expect(await alice.barrier()).toBe(true)
})

test('a text frame ends the session with 4400', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  alice.sendBytes('hello')
  expect((await alice.closed()).code).toBe(4400)
})

test('[S3] a frame beyond the limit ends the session with 4413; a roster message may be as large as the roster', async () => {
  const world = await serverWorld({ limits: { frameBytes: 1000, rosterBytes: 5000 } })
  const [first, second, third, fourth] = await world.devices('a', 'b', 'c', 'd')
  first.sendBytes(new Uint8Array(1001).fill(100))
  expect((await first.closed()).code).toBe(4413)
  second.sendBytes(new Uint8Array(5100))
  expect((await second.closed()).code).toBe(4413)
  third.sendBytes(new Uint8Array(20_000))
  expect((await third.closed()).code).toBe(4413)
  for (let count = 0; count < 40; count++) fourth.edit(`contact-${count}`, { levels: [1, 2] })
  await fourth.close()
  const again = world.device('d')
  for (let count = 0; count < 30; count++) again.edit(`other-${count}`, { levels: [1, 2] })
  await again.signIn()
  expect(await again.barrier()).toBe(true)
})

test('a second hello, a message before hello and a message that only servers send are violations: 4400', async () => {
  const world = await serverWorld()
  const [twice, server] = await world.devices('a', 'b')
  twice.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
  expect((await twice.closed()).code).toBe(4400)
  server.sendBytes(encodeFrame({ type: 'caughtUp', cursor: new Uint8Array() }))
  expect((await server.closed()).code).toBe(4400)
  const early = world.device('c')
  await early.connect()
  early.send({ type: 'fetch', owner: 'a' })
  expect((await early.closed()).code).toBe(4400)
})

test('[V9] a device that sends another user’s profile is closed with 4403', async () => {
  const world = await serverWorld()
  const [alice, mallory] = await world.devices('alice', 'mallory')
  const cursor = new Uint8Array()
  mallory.sendBytes(encodeFrame({ type: 'profile', owner: 'alice', level: 0, fields: { name: 'Eve' }, cursor }))
  expect((await mallory.closed()).code).toBe(4403)
  await settle(alice)
  expect(alice.received('Eve')).toBe(false)
})

test('a revocation closes every session of the user with 4401, and no other; earlier tokens are refused', async () => {
  const world = await serverWorld()
  const [phone, laptop, bob] = await world.devices('alice', 'alice', 'bob')
  const old = await world.token('alice')
  world.clock.leap(5)
  await world.admin('POST', '/v1/users/alice/sessions/revoke')
  expect((await phone.closed()).code).toBe(4401)
  expect((await laptop.closed()).code).toBe(4401)
  expect(await bob.barrier()).toBe(true)
  expect((await refusal(world.device('alice'), ['kith.v1', `bearer.${old}`])).code).toBe(4401)
  world.clock.leap(5)
  await world.device('alice').signIn()
})

test('a session whose token expires is closed with 4401; one that renews in time stays', async () => {
  const world = await serverWorld()
  const [lasting, forgetful] = [world.device('alice'), world.device('bob')]
  await lasting.dial({ offer: ['kith.v1', `bearer.${await world.token('alice', 20)}`] })
  await forgetful.dial({ offer: ['kith.v1', `bearer.${await world.token('bob', 20)}`] })
  const beat = [lasting.next('awareness'), forgetful.next('awareness')]
  world.clock.move(15_000)
  await Promise.all(beat)
  lasting.send({ type: 'renew', token: await world.token('alice', 60) })
  // A renewal has no response. A sign-in that began later is also checked later.
  await world.device('carol').signIn()
  const next = lasting.next('awareness')
  world.clock.move(15_000)
  expect(await forgetful.closed()).toEqual({ code: 4401, reason: 'the token has expired' })
  await next
  expect(await lasting.barrier()).toBe(true)
})

test('a renewal with a wrong token, or with that of another user, ends the session with 4401', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.send({ type: 'renew', token: 'no token' })
  expect((await alice.closed()).code).toBe(4401)
  bob.send({ type: 'renew', token: await world.token('alice') })
  expect((await bob.closed()).code).toBe(4401)
})

test('[S3] a connection beyond the limit of a user, or of an address, is closed with 4529 and a hint', async () => {
  const world = await serverWorld({ limits: { connectionsPerUser: 2, connectionsPerAddress: 3 } })
  const [first] = await world.devices('alice', 'alice')
  const third = world.device('alice')
  await third.dial()
  expect(await third.closed()).toEqual({ code: 4529, reason: 'too-many-connections retry-after-ms=30000' })
  await first.close()
  await world.device('alice').signIn()
  await world.device('bob').signIn()
  const fourth = world.device('carol')
  await fourth.dial()
  expect((await fourth.closed()).code).toBe(4529)
})

test('[S3] connections that sign in at the same moment do not pass the limit together', async () => {
  const world = await serverWorld({ limits: { connectionsPerUser: 3 } })
  const devices = Array.from({ length: 12 }, () => world.device('alice'))
  await Promise.all(devices.map(device => device.dial()))
  const isIn = await Promise.all(
    devices.map(async device => {
      await Promise.race([device.closed(), device.until('the sync', () => device.frames.length > 0)])
      return device.frames.length > 0
    }),
  )
  expect(isIn.filter(Boolean)).toHaveLength(3)
})

test('[S3] a session beyond the rate of writes is closed with 4529 and a hint; reconnecting does not reset the rate', async () => {
  const world = await serverWorld({ limits: { writesPerSecond: 4, writesBurst: 30 } })
  const [alice, other] = await world.devices('alice', 'bob')
  for (let count = 0; count < 40; count++) alice.edit('bob', { label: `label ${count}` })
  const { code, reason } = await alice.closed()
  expect([code, reason]).toEqual([4529, 'too-many-writes retry-after-ms=250'])
  expect(await other.barrier()).toBe(true)
  const again = world.device('alice')
  await again.dial()
  again.send({ type: 'barrier', id: 1, withFeed: false })
  expect((await again.closed()).code).toBe(4529)
})

test('a device that does not answer pings is disconnected; one that answers stays connected', async () => {
  const world = await serverWorld()
  const [alive, dead] = await world.devices('alice', 'bob')
  ;(dead.socket as unknown as { _socket: { pause(): void } })._socket.pause()
  for (let beats = 0; beats < 4; beats++) {
    const beat = alive.next('awareness')
    const ponged = new Promise<void>(resolve => alive.socket.once('ping', () => resolve()))
    world.clock.move(15_000)
    await Promise.all([beat, ponged])
    await alive.barrier()
  }
  ;(dead.socket as unknown as { _socket: { resume(): void } })._socket.resume()
  expect((await dead.closed()).code).toBe(1006)
})

test('a server that stops closes its sessions with 1001, and the devices find all data after its restart', async () => {
  const world = await serverWorld({ folder: await temporaryFolder() })
  const [alice] = await world.devices('alice')
  alice.edit('bob', { label: 'before' })
  expect(await alice.barrier()).toBe(true)
  const closing = world.restart()
  expect(await alice.closed()).toEqual({ code: 1001, reason: 'the server is stopping' })
  await closing
  const laptop = world.device('alice')
  await laptop.signIn()
  expect(laptop.roster.getMap('labels').get('bob')).toBe('before')
})
