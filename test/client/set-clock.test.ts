import { TestClock } from '@kith/client/testing'
import { encodeFrame } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import { Connection, RateLimiter } from '../support/client-internals.ts'

const hourMs = 3_600_000
const jumps = [hourMs, -hourMs, 87_600 * hourMs, -87_600 * hourMs]

test.each(jumps)('[S3] what a device sends keeps its rate when its clock is set by %i ms', async byMs => {
  const clock = new TestClock()
  const pace = new RateLimiter(clock)
  await pace.take(1_600)
  clock.set(byMs)
  let taken = 0
  void pace.take(160).then(() => taken++)
  await turn()
  clock.move(999)
  await turn()
  expect(taken).toBe(0)
  clock.move(1)
  await turn()
  expect(taken).toBe(1)
})

test.each(jumps)('only a silent connection is closed after 45 s when the clock is set by %i ms', byMs => {
  const clock = new TestClock()
  const closed: number[] = []
  const socket = new FakeSocket()
  const port = { opened: () => undefined, message: () => undefined, closed: (code: number) => void closed.push(code) }
  const make = function WebSocket() {
    return socket
  } as unknown as ConstructorParameters<typeof Connection>[1]['WebSocket']
  new Connection(port, { url: 'ws://kith.example', protocols: [], WebSocket: make, clock })
  socket.onopen?.({} as never)
  clock.move(40_000)
  const heartbeat = encodeFrame({ type: 'awareness' })
  socket.onmessage?.({ data: heartbeat.slice().buffer } as never)
  clock.set(byMs)
  clock.move(44_999)
  expect(closed).toEqual([])
  clock.move(1)
  expect(closed).toEqual([1006])
})

class FakeSocket {
  binaryType = ''
  protocol = 'kith.v1'
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  send(): void {
    // There is no other end.
  }
  close(): void {
    // As above.
  }
}

async function turn(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
}
