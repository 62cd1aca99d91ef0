import type { Socket } from 'node:net'
import { encodeFrame } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import type { WebSocket } from 'ws'
import * as Y from 'yjs'
import { FrameDeadline } from '../../packages/server/src/socket/frame-deadline.ts'
import { UnfinishedFrames } from '../../packages/server/src/socket/unfinished-frames.ts'
import type { Device } from '../support/raw-device.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'

const beatMs = 15_000

function tcpOf(device: Device): Socket {
  return (device.socket as unknown as { _socket: Socket })._socket
}

/** Begins a frame of `frameBytes` bytes, and sends the first of them. */
function begin(device: Device, frameBytes: number, sentBytes: number): void {
  const header = Buffer.alloc(14)
  header[0] = 0x82 // The last frame of a binary message.
  header[1] = 0x80 | 127 // Masked, with a length of eight bytes.
  header.writeBigUInt64BE(BigInt(frameBytes), 2)
  tcpOf(device).write(Buffer.concat([header, Buffer.alloc(sentBytes)]))
}

function more(device: Device, bytes: number): void {
  tcpOf(device).write(Buffer.alloc(bytes))
}

function fragment(device: Device, bytes: number, isLast = false): void {
  ;(device.socket as WebSocket).send(Buffer.alloc(bytes), { fin: isLast, binary: true })
}

/** Lets this many heartbeats pass. Between them the network delivers everything, including the answers to pings. */
async function beats(world: World, bob: Device, count: number, each: () => void = () => undefined): Promise<void> {
  for (let beat = 0; beat < count; beat++) {
    world.clock.move(beatMs)
    each()
    for (let turn = 0; turn < 5; turn++) await settle(bob)
  }
}

test.each<[string, (device: Device) => void, (device: Device) => void]>([
  ['a frame of which nothing more comes', device => begin(device, 300_000, 50_000), () => undefined],
  ['a frame of which only the head comes', device => begin(device, 300_000, 0), () => undefined],
  ['a frame whose bytes drip', device => begin(device, 300_000, 1), device => more(device, 1)],
  ['a message without its last fragment', device => fragment(device, 50_000), () => undefined],
  ['a message whose fragments drip', device => fragment(device, 1), device => fragment(device, 1)],
  ['a message of empty fragments', device => fragment(device, 0), device => fragment(device, 0)],
])('[S3] %s is waited for a minute, then its connection is closed with 4500', async (_, start, goOn) => {
  const world = await serverWorld()
  const [mallory, bob] = await world.devices('mallory', 'bob')
  start(mallory)
  await settle(bob)
  await beats(world, bob, 4, () => goOn(mallory))
  expect(mallory.isConnected).toBe(true)
  await beats(world, bob, 1, () => goOn(mallory))
  expect(mallory.isConnected).toBe(false)
  expect((await mallory.closed()).code).toBe(4500)
  expect(bob.isConnected).toBe(true)
})

test('[S3] a large frame that comes over a slow line has the time that it needs', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  begin(alice, 900_000, 0)
  await beats(world, bob, 6, () => more(alice, 130_000))
  expect(alice.isConnected).toBe(true)
  // The finished frame is not a valid message of Kith.
  more(alice, 900_000 - 6 * 130_000)
  expect((await alice.closed()).code).toBe(4400)
})

test('[S3] a device that sends frame after frame has no deadline', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  const pong = [0x8a, 0x80, 0, 0, 0, 0]
  const [head, rest] = [pong.slice(0, 3), pong.slice(3)]
  tcpOf(alice).write(Buffer.from(head))
  await settle(bob)
  // At each heartbeat a frame is incomplete, but never the same one.
  await beats(world, bob, 12, () => void tcpOf(alice).write(Buffer.from([...rest, ...head])))
  expect(alice.isConnected).toBe(true)
})

test('[S3] while the server does not read a socket, the time of its frame does not count', () => {
  const deadline = new FrameDeadline()
  for (let beat = 0; beat < 100; beat++) expect(deadline.beat(7, 1_000, false)).toBe(false)
  for (let beat = 0; beat < 3; beat++) expect(deadline.beat(7, 1_000, true)).toBe(false)
  expect(deadline.beat(7, 1_000, true)).toBe(true)
})

test('[S3] each frame has its own deadline', () => {
  const deadline = new FrameDeadline()
  for (let frame = 0; frame < 100; frame++) {
    for (let beat = 0; beat < 4; beat++) expect(deadline.beat(frame, 10, true)).toBe(false)
    if (frame % 2 === 0) expect(deadline.beat(undefined, 0, true)).toBe(false)
  }
})

test('[S3] unfinished frames on all connections of one address take as much as eight of the largest: the largest goes', async () => {
  const world = await serverWorld({ limits: { rosterBytes: 64 * 1024, frameBytes: 64 * 1024 } })
  const names = Array.from({ length: 9 }, (_, index) => `device ${index}`)
  const devices = await world.devices(...names)
  const [first, ...others] = devices
  const last = others.pop()
  const bob = world.device('bob')
  await bob.signIn()
  begin(first as (typeof devices)[0], 64 * 1024, 62 * 1024)
  for (const device of others) begin(device, 64 * 1024, 58 * 1024)
  for (let turn = 0; turn < 20; turn++) await settle(bob)
  expect(devices.map(({ isConnected }) => isConnected)).toEqual(devices.map(() => true))
  begin(last as (typeof devices)[0], 64 * 1024, 50 * 1024)
  for (let turn = 0; turn < 20; turn++) await settle(bob)
  expect(first?.isConnected).toBe(false)
  expect((await first?.closed())?.code).toBe(4500)
  expect([...others, last].map(device => device?.isConnected)).toEqual([...others, last].map(() => true))
  // Devices whose connection has ended no longer count.
  for (const device of [...others, last]) device?.drop()
  const again = await world.devices(...names.slice(0, 8))
  for (const device of again) begin(device, 64 * 1024, 63 * 1024)
  for (let turn = 0; turn < 20; turn++) await settle(bob)
  expect(again.map(({ isConnected }) => isConnected)).toEqual(again.map(() => true))
})

test('[S3][D6] where a roster may be smaller than a frame, a frame that is too large is closed with 4413, which a device can act on', async () => {
  const world = await serverWorld({ limits: { rosterBytes: 300, frameBytes: 1_500 } })
  const [alice] = await world.devices('alice')
  begin(alice, 15_000, 14_000)
  expect((await alice.closed()).code).toBe(4413)
})

test('[S3][F2] bytes of frames that are whole by now, or whose session has ended, count no more for their address', () => {
  const frames = new UnfinishedFrames<string>(100)
  frames.note('a', 'phone', 60)
  frames.note('a', 'laptop', 40)
  frames.note('b', 'tablet', 90)
  expect(frames.largestBeyond('a')).toBeUndefined()
  frames.note('a', 'laptop', 41)
  expect([frames.largestBeyond('a'), frames.largestBeyond('b'), frames.largestBeyond('c')]).toEqual([
    'phone',
    undefined,
    undefined,
  ])
  frames.note('a', 'phone', 50)
  expect(frames.largestBeyond('a')).toBeUndefined()
  for (const [address, session] of [
    ['a', 'phone'],
    ['a', 'laptop'],
    ['b', 'tablet'],
    ['b', 'never there'],
  ] as const) {
    frames.note(address, session, 0)
  }
  expect(frames.size).toBe(0)
})

test('[S3] bytes of frames that have become whole count no more for their address', async () => {
  const world = await serverWorld({ limits: { rosterBytes: 64 * 1024, frameBytes: 64 * 1024 } })
  const devices = await world.devices(...Array.from({ length: 12 }, (_, index) => `device ${index}`))
  for (const device of devices) {
    // A label that is too long is refused, and the connection stays open.
    const roster = new Y.Doc()
    roster.getMap('labels').set('bob', 'x'.repeat(60 * 1024))
    const frame = encodeFrame({ type: 'rosterSync', step: 'update', payload: Y.encodeStateAsUpdate(roster) })
    begin(device, frame.length, 0)
    tcpOf(device).write(frame.slice(0, -1))
    for (let turn = 0; turn < 3; turn++) for (const other of devices) if (other !== device) await other.barrier()
    tcpOf(device).write(frame.slice(-1))
    await device.barrier()
    expect(device.all('refused')).toMatchObject([{ code: 'label-too-long' }])
  }
  expect(devices.map(({ isConnected }) => isConnected)).toEqual(devices.map(() => true))
})
