import { once } from 'node:events'
import { expect, test } from 'vitest'
import { engineWorld, rest } from '../support/engine-world.ts'
import type { Engine, KithSocket } from '../support/server-internals.ts'
import { type Pair, pair } from '../support/socket-pair.ts'

const light = 4 * 1024
const largeBytes = 4 * 1024 * 1024

const part = Buffer.alloc(largeBytes / 2)

/** Returns the header of a frame of `frameBytes` bytes. */
function head(frameBytes: number, firstByte = 0x82): Buffer {
  const bytes = Buffer.alloc(14)
  bytes[0] = firstByte
  bytes[1] = 0x80 | 127
  bytes.writeBigUInt64BE(BigInt(frameBytes), 2)
  return bytes
}

/** Fragments of a message without the last one. */
const fragments = Array.from({ length: 20 }, (_, index) =>
  Buffer.concat([head(100_000, index === 0 ? 0x02 : 0x00), Buffer.alloc(100_000)]),
)

/** Sends bytes in parts. Resolves when the server has read all of them, or when the connection has ended. */
async function deliver({ tcp, deviceTcp }: Pair, bytes: Buffer): Promise<void> {
  const target = tcp.bytesRead + bytes.length
  deviceTcp.write(bytes)
  while (tcp.bytesRead < target && !tcp.destroyed) await new Promise(resolve => setImmediate(resolve))
}

test.each<[string, Buffer[], Buffer[]]>([
  ['a frame that the device had begun', [head(largeBytes), part], [part.subarray(1)]],
  ['a message of fragments that the device had begun', fragments, [head(largeBytes, 0x80), part]],
  ['a frame that the device begins afterwards', [], [head(largeBytes), part]],
])('[S3] a server that closes a connection keeps nothing of %s', async (_, before, after) => {
  const one = await pair()
  const closed = once(one.device, 'close')
  // Its device does not answer the close.
  one.device.pause()
  for (const bytes of before) await deliver(one, bytes)
  if (before.length > 0) expect(one.server.heldBytes).toBeGreaterThan(light)
  one.server.close(4401, 'the token has expired')
  expect(one.server.heldBytes).toBeLessThanOrEqual(light)
  let most = 0
  one.tcp.on('data', () => {
    most = Math.max(most, one.server.heldBytes)
  })
  for (const bytes of after) await deliver(one, bytes)
  expect(most).toBeLessThanOrEqual(light)
  // When it reads again, it receives the close code.
  one.device.resume()
  expect((await closed)[0]).toBe(4401)
})

test('a device that answers a close ends the connection in the usual way', async () => {
  const { server, device } = await pair()
  const closed = Promise.all([once(server, 'close'), once(device, 'close')])
  server.close(4401, 'the token has expired')
  expect((await closed).map(([code]) => code)).toEqual([4401, 4401])
})

test('[S3] a server that closes a connection decodes none of the frames that came in the same packet', async () => {
  const one = await pair()
  const closed = once(one.device, 'close')
  let pings = 0
  one.server.on('ping', () => {
    pings++
    one.server.close(4529, 'too many')
  })
  const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0])
  await deliver(one, Buffer.concat(Array.from({ length: 5_000 }, () => ping)))
  expect((await closed)[0]).toBe(4529)
  expect(pings).toBe(1)
})

test('[S3] of the frames that come after a server has closed a connection few are decoded', async () => {
  const one = await pair()
  // Its device does not answer the close.
  one.device.pause()
  let pings = 0
  one.server.on('ping', () => pings++)
  one.server.close(4529, 'too many')
  const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0])
  await deliver(one, Buffer.concat(Array.from({ length: 5_000 }, () => ping)))
  expect(pings).toBeLessThan(100)
})

test('[S3] parts of a frame count with the memory that they take, also if they are small', async () => {
  const one = await pair()
  await deliver(one, head(largeBytes, 0x02))
  for (let count = 0; count < 100; count++) await deliver(one, Buffer.alloc(1))
  expect(one.server.unfinishedBytes).toBeLessThan(200)
  expect(one.server.heldBytes).toBeGreaterThan(100 * 400)
  const other = await pair()
  for (let count = 0; count < 100; count++) {
    await deliver(other, Buffer.from([count === 0 ? 0x02 : 0x00, 0x81, 0, 0, 0, 0, 7]))
  }
  expect(other.server.unfinishedBytes).toBe(100)
  expect(other.server.heldBytes).toBeGreaterThan(100 * 400)
})

test('[S3][F2] a session that is being closed counts for its address with what it still holds', async () => {
  const { engine, signIn } = await engineWorld()
  const line = (await signIn('alice')) as unknown as { heldBytes: number; emit(event: string): void; close: unknown }
  line.heldBytes = 50_000
  line.emit('unfinished')
  expect(engine.context.unfinished.size).toBe(1)
  // Its socket ends later.
  line.close = () => {
    line.heldBytes = 0
    line.emit('unfinished')
  }
  const [session] = engine.signIns.sessions
  session?.close(4401, 'the token has expired')
  await rest()
  expect(engine.signIns.sessions.size).toBe(1)
  expect(engine.context.unfinished.size).toBe(0)
})

test('[S3] a connection whose sign-in is refused keeps nothing of what it goes on to send', async () => {
  const one = await pair()
  const { engine } = await engineWorld()
  engine.signIns.refuse(one.server, { code: 4401, reason: 'no token' })
  await deliver(one, head(largeBytes))
  await deliver(one, part)
  expect(one.server.heldBytes).toBeLessThanOrEqual(light)
})

test.each<[string, (engine: Engine, socket: KithSocket) => void]>([
  ['a refused sign-in', (engine, socket) => engine.signIns.refuse(socket, { code: 4401, reason: 'no token' })],
  ['a server that stops', engine => engine.signIns.closeAll()],
])(
  '[S3] %s waits two seconds for a device that does not answer the close, and then ends the connection',
  async (what, close) => {
    const one = await pair()
    const { engine, clock } = await engineWorld()
    const closed = once(one.server, 'close')
    if (what === 'a server that stops') {
      engine.signIns.begin(one.server, { user: 'alice', expiresAtMs: undefined, signedInAt: 0 }, '127.0.0.1')
    }
    one.device.pause()
    close(engine, one.server)
    clock.move(1_999)
    await rest()
    expect(one.tcp.destroyed).toBe(false)
    clock.move(1)
    expect(one.tcp.destroyed).toBe(true)
    await closed
    expect(engine.signIns.sessions.size).toBe(0)
  },
)

test('[S3] a refused sign-in whose device answers the close leaves no timer', async () => {
  const one = await pair()
  const { engine, clock } = await engineWorld()
  const timers = clock.timerCount
  const closed = once(one.server, 'close')
  engine.signIns.refuse(one.server, { code: 4401, reason: 'no token' })
  expect(clock.timerCount).toBe(timers + 1)
  await closed
  expect(clock.timerCount).toBe(timers)
})
