import { TestClock } from '@kith/client/testing'
import { encodeFrame } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import { Connection, RateLimiter } from '../support/client-internals.ts'

const hourMs = 3_600_000

test('[S3] a message in the send queue waits no longer when the machine’s clock is set back', async () => {
  const clock = new TestClock()
  const pace = new RateLimiter(clock)
  await pace.take(1_600)
  clock.set(-hourMs)
  let isSent = false
  void pace.take(160).then(() => {
    isSent = true
  })
  await turn()
  expect(isSent).toBe(false)
  clock.move(1_000)
  await turn()
  expect(isSent).toBe(true)
})

test('[S3] setting the clock forward sends nothing earlier', async () => {
  const clock = new TestClock()
  const pace = new RateLimiter(clock)
  await pace.take(1_600)
  clock.set(hourMs)
  let isSent = false
  void pace.take(1).then(() => {
    isSent = true
  })
  await turn()
  expect(isSent).toBe(false)
})

test.each([0, -hourMs])(
  '[D2] a silent connection is closed within 90 seconds, also when the clock is set by %i ms',
  setBy => {
    const { clock, socket, closes } = connection()
    socket.onopen()
    clock.move(30_000)
    socket.onmessage({ data: heartbeat() })
    clock.move(30_000)
    expect(closes).toEqual([])
    clock.set(setBy)
    clock.move(90_000)
    expect(closes).toEqual([1006])
  },
)

test('[D2] a connection with a frame every 44 seconds stays open, also when the clock is set', () => {
  const { clock, socket, closes } = connection()
  socket.onopen()
  for (const setBy of [0, -hourMs, 0, hourMs / 1_000, 0, -5_000, 0]) {
    clock.set(setBy)
    socket.onmessage({ data: heartbeat() })
    clock.move(44_000)
  }
  expect(closes).toEqual([])
})

test('a closed connection leaves no timer, and a connection that does not open is given up after 20 seconds', () => {
  const never = connection()
  never.clock.move(19_999)
  expect(never.closes).toEqual([])
  never.clock.move(1)
  expect([never.closes, never.clock.timerCount]).toEqual([[1006], 0])
  const closed = connection()
  closed.socket.onopen()
  expect(closed.clock.timerCount).toBe(1)
  closed.connection.close()
  closed.connection.close()
  closed.socket.onclose({ code: 1000, reason: '' })
  expect([closed.closes, closed.clock.timerCount]).toEqual([[1006], 0])
})

/** A connection to a server that sends only what the test tells it to. */
function connection() {
  const clock = new TestClock()
  const closes: number[] = []
  const port = { opened: () => undefined, message: () => undefined, closed: (code: number) => void closes.push(code) }
  let socket: Silent | undefined
  class Silent {
    onopen!: () => void
    onmessage!: (event: { data: unknown }) => void
    onclose!: (event: { code: number; reason: string }) => void
    constructor() {
      socket = this
    }
    close(): void {
      // The other side does not answer.
    }
  }
  const options = { url: 'ws://127.0.0.1:9', protocols: [], WebSocket: Silent as never, clock }
  const made = new Connection(port, options)
  return { clock, closes, connection: made, socket: socket as Silent }
}

function heartbeat(): ArrayBuffer {
  return new Uint8Array(encodeFrame({ type: 'awareness' })).buffer as ArrayBuffer
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

test('[S3] after a pause, a device may send a full burst again', async () => {
  const clock = new TestClock()
  const pace = new RateLimiter(clock)
  for (let round = 0; round < 3; round++) {
    let isSent = false
    void pace.take(1_600).then(() => {
      isSent = true
    })
    await new Promise(resolve => setImmediate(resolve))
    expect(isSent).toBe(true)
    clock.move(10_000)
  }
  let sent = 0
  for (const messages of [1_600, 160, 160]) void pace.take(messages).then(() => sent++)
  await new Promise(resolve => setImmediate(resolve))
  expect(sent).toBe(1)
  for (const expected of [2, 3]) {
    clock.move(1_000)
    await new Promise(resolve => setImmediate(resolve))
    expect(sent).toBe(expected)
  }
})
