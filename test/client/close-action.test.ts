import { TestClock } from '@kith/client/testing'
import { closeCodes, encodeRetryHint } from '@kith/shared'
import { expect, test } from 'vitest'
import { Connection, verdictOn } from '../support/client-internals.ts'

test.each([
  [closeCodes.unauthorised, '', { type: 'newToken' }],
  [closeCodes.notYourRoster, '', { type: 'stop', code: 'not-your-roster' }],
  [closeCodes.tooLarge, '', { type: 'stop', code: 'frame-too-large' }],
  [closeCodes.overLimit, '', { type: 'rest', code: 'too-many-writes' }],
  [
    closeCodes.overLimit,
    encodeRetryHint('too-many-connections', 700),
    { type: 'rest', code: 'too-many-connections', hintMs: 700 },
  ],
  [closeCodes.noRoom, encodeRetryHint('unavailable', 900), { type: 'rest', code: 'unavailable', hintMs: 900 }],
  [closeCodes.unavailable, 'a restart', { type: 'retry' }],
  [closeCodes.unavailable, encodeRetryHint('unavailable', 800), { type: 'rest', code: 'unavailable', hintMs: 800 }],
  [closeCodes.unavailable, encodeRetryHint('too-many-writes', 800), { type: 'retry' }],
  [4399, '', { type: 'retry' }],
  [4400, '', { type: 'stop', code: 'protocol-violation' }],
  [4499, '', { type: 'stop', code: 'protocol-violation' }],
  [4500, '', { type: 'retry' }],
  [1000, '', { type: 'retry' }],
  [1006, '', { type: 'retry' }],
])('[S3] after the server closed with %i and the reason "%s", a device does %j', (code, reason, action) => {
  expect(verdictOn(code, reason)).toMatchObject(action)
})

test.each([
  [
    closeCodes.unavailable,
    encodeRetryHint('unavailable', 800),
    'The server cannot store changes right now; this device keeps them and tries again later',
  ],
  [
    closeCodes.unavailable,
    `${encodeRetryHint('unavailable', 800)} the disk is full`,
    'The server cannot store changes right now (the disk is full); this device keeps them and tries again later',
  ],
  [closeCodes.overLimit, '', 'The server takes no more for a while'],
  [closeCodes.noRoom, '', 'The server has no room for another connection right now; this device tries again later'],
])('[S3] after the server closed with %i and the reason "%s", the app is told: %s', (code, reason, message) => {
  expect(verdictOn(code, reason)).toMatchObject({ message })
})

test.each([
  ['a text', 'hello'],
  ['bytes that are no frame', new Uint8Array([255, 255, 255]).buffer],
])('[S1] %s from the server closes the connection once, and what comes after it is not handed over', (_what, data) => {
  const clock = new TestClock()
  const sockets: FakeSocket[] = []
  class FakeSocket {
    static readonly OPEN = 1
    readyState = 1
    binaryType = 'blob'
    closedWith: (number | undefined)[] = []
    onopen: (() => void) | null = null
    onmessage: ((event: { data: unknown }) => void) | null = null
    onclose: ((event: { code: number; reason: string }) => void) | null = null
    onerror: (() => void) | null = null

    constructor() {
      sockets.push(this)
    }

    send(): void {}

    close(code?: number): void {
      this.closedWith.push(code)
    }
  }
  const events: string[] = []
  new Connection(
    {
      opened: () => void events.push('opened'),
      message: ({ type }) => void events.push(type),
      closed: () => void events.push('closed'),
    },
    { url: 'ws://hostile.example', protocols: [], WebSocket: FakeSocket as never, clock },
  )
  const [socket] = sockets as [FakeSocket]
  socket.onopen?.()
  socket.onmessage?.({ data })
  socket.onmessage?.({ data })
  socket.onclose?.({ code: 1000, reason: '' })
  expect(socket.closedWith).toEqual([1000])
  expect(events).toEqual(['opened', 'closed'])
  expect(clock.timerCount).toBe(0)
})
