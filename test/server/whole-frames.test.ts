import { expect, test } from 'vitest'
import { pair } from '../support/socket-pair.ts'

/** Sizes around each length at which a frame's header changes, or from which on a payload is not copied. */
const sizes = [0, 1, 125, 126, 65_534, 65_535, 65_536, 70_000]

test('[S2] a message of any size arrives as it was sent, in order, on each of several connections', async () => {
  const pairs = [await pair(), await pair()]
  const received = pairs.map(({ device }) => {
    const sums: [length: number, sum: number][] = []
    device.on('message', (data, isBinary) => {
      expect(isBinary).toBe(true)
      const bytes = data as Buffer
      sums.push([bytes.length, bytes.reduce((sum, byte) => sum + byte, 0)])
    })
    return sums
  })
  let taken = 0
  const sent: [number, number][] = []
  for (const [index, size] of sizes.entries()) {
    const payload = new Uint8Array(size).fill(index + 1)
    for (const { server } of pairs) server.send(payload, { binary: true }, () => taken++)
    sent.push([size, size * (index + 1)])
  }
  await expect.poll(() => received).toEqual([sent, sent])
  expect(taken).toBe(pairs.length * sizes.length)
})

test('[F2] a small message is one write, and counts as outstanding until the network has taken it', async () => {
  const { server, tcp, device } = await pair()
  const writes: number[] = []
  const write = tcp.write.bind(tcp) as (chunk: Uint8Array, taken?: () => void) => boolean
  Object.assign(tcp, {
    write: (chunk: Uint8Array, done?: () => void) => {
      writes.push(chunk.length)
      return write(chunk, done)
    },
  })
  tcp.cork()
  const taken = new Promise<void>(resolve => server.send(new Uint8Array(200), { binary: true }, () => resolve()))
  expect(writes).toEqual([204])
  expect(server.bufferedAmount).toBe(204)
  tcp.uncork()
  await taken
  expect(server.bufferedAmount).toBe(0)
  device.terminate()
})

test('[S1] a message to a connection that is closing is dropped, and its sender is called back', async () => {
  const { server } = await pair()
  server.close(1001, 'over')
  const error = await new Promise(resolve => server.send(new Uint8Array(10), { binary: true }, resolve))
  expect(error).toBeInstanceOf(Error)
})

test('[S3][F2] messages that are sent together go to the network in one write, in order, also when sending throws', async () => {
  const { server, tcp, device } = await pair()
  const received: number[] = []
  device.on('message', data => received.push((data as Buffer)[0] as number))
  const writes: string[] = []
  const { _handle: handle } = tcp as unknown as { _handle: Record<string, (...args: unknown[]) => unknown> }
  for (const name of ['writev', 'writeBuffer']) {
    const write = handle[name]?.bind(handle)
    handle[name] = (...args) => {
      writes.push(name)
      return write?.(...args)
    }
  }
  const send = (first: number): void => server.send(new Uint8Array(100).fill(first), { binary: true }, () => undefined)
  server.together(() => {
    for (let first = 1; first <= 32; first++) send(first)
    expect(server.bufferedAmount).toBe(32 * 102)
  })
  expect(writes).toEqual(['writev'])
  const sendTwo = (): void => {
    send(33)
    send(34)
    throw new Error('no more')
  }
  expect(() => server.together(sendTwo)).toThrow('no more')
  await expect.poll(() => received).toEqual(Array.from({ length: 34 }, (_, index) => index + 1))
})

test('[F2] messages that are sent together are written when 16 KiB wait, so what the network takes does not count as outstanding', async () => {
  const { server, device } = await pair()
  let bytes = 0
  device.on('message', data => {
    bytes += (data as Buffer).length
  })
  const outstanding: number[] = []
  server.together(() => {
    for (let index = 0; index < 8; index++) {
      server.send(new Uint8Array(10_000), { binary: true }, () => undefined)
      outstanding.push(server.bufferedAmount)
    }
  })
  expect(Math.max(...outstanding)).toBeLessThan(16 * 1024 + 10_004)
  await expect.poll(() => bytes).toBe(80_000)
})
