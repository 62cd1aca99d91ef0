import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { descriptorProblem, descriptorShares } from '@kith/server/descriptors'
import { expect, onTestFinished, test } from 'vitest'
import { Places } from '../support/server-internals.ts'
import { serverWorld } from '../support/server-world.ts'

/** The subset of a socket that a place needs. */
class Stand extends EventEmitter {
  destroyed = false

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }

  get socket(): Duplex {
    return this as unknown as Duplex
  }
}

function admitted(places: Places): Stand {
  const stand = new Stand()
  places.admit(stand.socket)
  return stand
}

test('[S3] when all places are taken, the longest idle connection is closed for a new one', () => {
  const places = new Places(16)
  const stands = Array.from({ length: 16 }, () => admitted(places))
  const [first, second, third] = stands as [Stand, Stand, Stand]
  places.stir(first.socket)
  places.stir(third.socket)
  places.hush(third.socket)
  admitted(places)
  expect([first.destroyed, second.destroyed, third.destroyed]).toEqual([false, true, false])
  expect(places.openCount).toBe(16)
  first.destroy()
  expect(places.openCount).toBe(15)
})

test('[S3] sessions keep their places, and leave some to other connections', () => {
  const places = new Places(16)
  const devices = Array.from({ length: 16 }, () => admitted(places))
  const seated = devices.filter(({ socket }) => places.seat(socket))
  expect(seated).toHaveLength(8)
  for (let index = 0; index < 50; index++) admitted(places)
  expect(seated.some(({ destroyed }) => destroyed)).toBe(false)
  expect(places.openCount).toBe(16)
  const last = admitted(places)
  expect(places.seat(last.socket)).toBe(false)
  seated[0]?.destroy()
  expect(places.seat(last.socket)).toBe(true)
  // It was refused, so its place in a session is free again.
  places.hush(last.socket)
  expect(places.seat(admitted(places).socket)).toBe(true)
})

test('a new connection is closed if there is no place and no idle connection', () => {
  const places = new Places(10)
  const busy = Array.from({ length: 10 }, () => admitted(places))
  for (const { socket } of busy) places.stir(socket)
  expect(admitted(places).destroyed).toBe(true)
  expect(busy.some(({ destroyed }) => destroyed)).toBe(false)
  places.hush((busy[4] as Stand).socket)
  expect(admitted(places).destroyed).toBe(false)
  expect((busy[4] as Stand).destroyed).toBe(true)
})

test('the store gets its descriptors first, and with too few for a server the error says what to do', () => {
  expect(descriptorShares(192)).toEqual({ databaseFiles: 74, sockets: 54 })
  expect(descriptorShares(1024)).toEqual({ databaseFiles: 256, sockets: 704 })
  expect(descriptorShares(200_000)).toEqual({ databaseFiles: 1000, sockets: 198_936 })
  expect(descriptorShares(Number.POSITIVE_INFINITY)).toEqual({ databaseFiles: 1000, sockets: Number.POSITIVE_INFINITY })
  expect(descriptorProblem(191)).toMatch(/only 191 files and sockets .* needs 192 or more.*: raise the limit/)
  expect(descriptorProblem(192)).toBe(undefined)
})

test('[S3] a device without a place is closed with 4503 and a hint, and the other devices stay connected', async () => {
  const world = await serverWorld({ maxSockets: 20 })
  const devices = await world.devices(...Array.from({ length: 12 }, (_, index) => `user ${index}`))
  const late = world.device('late')
  await late.dial()
  await late.until('an answer', () => late.frames.length > 0).catch(() => undefined)
  expect(late.frames).toEqual([])
  expect(await late.closed()).toEqual({ code: 4503, reason: 'unavailable retry-after-ms=10000' })
  for (const device of devices) expect(await device.barrier()).toBe(true)
  expect((await world.admin('GET', '/v1/users/late')).status).toBe(404)
  await devices[0]?.close()
  await late.signIn()
})

test('[S3] a rejected device that does not answer the close takes its place for two seconds', async () => {
  const world = await serverWorld({ maxSockets: 20 })
  const silent = connect(Number(new URL(world.url).port), '127.0.0.1')
  onTestFinished(() => void silent.destroy())
  await once(silent, 'connect')
  const headers = ['Host: x', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13']
  headers.push('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol: kith.v1')
  silent.write(`GET /v1/roster/alice HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
  let answer = Buffer.alloc(0)
  silent.on('data', data => {
    answer = Buffer.concat([answer, data])
  })
  await expect.poll(() => answer.includes('unauthorised') || answer.includes('bearer')).toBe(true)
  expect(silent.readyState).toBe('open')
  const ended = once(silent, 'close')
  world.clock.move(2_000)
  await ended
})

/** Sockets that send nothing. */
async function idleSockets(url: string, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(Number(new URL(url).port), '127.0.0.1'))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  await Promise.all(sockets.map(socket => once(socket, 'connect')))
  return sockets
}

test('[S3] idle connections do not keep devices from connecting', async () => {
  const world = await serverWorld({ maxSockets: 20 })
  const [alice] = await world.devices('alice')
  let ended = 0
  for (const socket of await idleSockets(world.url, 60)) {
    socket.on('error', () => undefined)
    socket.on('close', () => {
      ended++
    })
    socket.resume()
  }
  await expect.poll(() => ended).toBeGreaterThanOrEqual(40)
  const [bob] = await world.devices('bob')
  expect(await alice.barrier()).toBe(true)
  expect(await bob.barrier()).toBe(true)
  expect((await fetch(`${world.url}/readyz`)).status).toBe(200)
  expect(await (await fetch(`${world.url}/metrics`)).text()).toMatch(/^kith_sockets \d+$/m)
})
