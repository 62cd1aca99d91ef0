import { type Delivery, KithError } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import type { ClientMessage } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { backend } from '../support/backend.ts'
import { OutgoingMessages } from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'

type Result = Delivery | 'closed' | { retryAfterMs: number | undefined }

test('[S3] 3,000 messages at once stay within the rate: each is delivered once and in order, or was not sent', async () => {
  // The server's clock is the real one. The device's clock runs faster.
  const { device } = await backend({ messagesBurst: 5_000 })
  const clock = new TestClock()
  const [alice, bob] = [await device('alice', { clock }), await device('bob')]
  await Promise.all([alice.whenSynced(), bob.whenSynced()])
  await alice.getProfile('bob').loaded // So that she may know whether he is there.
  await alice.whenSynced()
  const received: string[] = []
  bob.on('message', ({ text }) => received.push(text))
  const statuses: string[] = []
  alice.on('status', status => statuses.push(status))
  const results = sent(Array.from({ length: 3_000 }, (_, index) => alice.send('bob', String(index))))
  for (let step = 0; step < 100; step++) {
    clock.move(100)
    const due = Math.min(400 + 4 * (step + 1), 800)
    if (step < 99) await expect.poll(() => received.length, { interval: 5 }).toBeGreaterThanOrEqual(due - 8)
  }
  await expect.poll(() => results.size).toBe(3_000)
  const delivered = [...results].filter(([, result]) => result === 'delivered').map(([index]) => String(index))
  expect(received).toEqual(Array.from({ length: received.length }, (_, index) => String(index)))
  expect(received.length).toBeGreaterThanOrEqual(790)
  expect(received.length).toBeLessThanOrEqual(800)
  // The last message may still be in flight when its time is up. It is then reported as unconfirmed, which is correct.
  const unconfirmed = [...results].filter(([, result]) => result === 'unconfirmed')
  expect(received.slice(0, delivered.length)).toEqual(delivered)
  expect(received.length - delivered.length).toBeLessThanOrEqual(unconfirmed.length)
  const refused = [...results.values()].filter(result => typeof result === 'object')
  expect(refused).toHaveLength(3_000 - delivered.length - unconfirmed.length)
  expect(Math.max(...refused.map(({ retryAfterMs }) => retryAfterMs ?? 0))).toBeGreaterThan(40_000)
  expect(statuses).toEqual([])
})

test('[S3] a message that the server refuses because of its rate is retried within its 10 s', async () => {
  const { device } = await backend({ messagesBurst: 3, messagesPerSecond: 1000 })
  const [alice, bob] = [await device('alice'), await device('bob')]
  await Promise.all([alice.whenSynced(), bob.whenSynced()])
  await alice.getProfile('bob').loaded // So that she may know whether he is there.
  await alice.whenSynced()
  const received: string[] = []
  bob.on('message', ({ text }) => received.push(text))
  const sent = await Promise.all(Array.from({ length: 30 }, (_, index) => alice.send('bob', `number ${index}`)))
  expect(new Set(sent)).toEqual(new Set(['delivered']))
  expect(received).toHaveLength(30)
  expect(new Set(received)).toEqual(new Set(Array.from({ length: 30 }, (_, index) => `number ${index}`)))
  expect(alice.status).toBe('synced')
})

test('a refused message is sent again after the server’s hint, keeps its place, and sets the device’s rate to the server’s', async () => {
  const { messages, clock, wire, note, results } = outgoing()
  for (const text of ['one', 'two', 'three']) note(messages.send('bob', text))
  messages.flush(wire.write)
  expect(wire.texts()).toEqual(['one', 'two', 'three'])
  wire.answer('one', { isDelivered: true })
  wire.refuse('two', 1_000)
  wire.refuse('three', 1_000)
  note(messages.send('bob', 'four'))
  messages.flush(wire.write)
  clock.move(999)
  expect(wire.texts()).toEqual(['one', 'two', 'three'])
  clock.move(1)
  expect(wire.texts().slice(3)).toEqual(['two'])
  clock.move(1_000)
  expect(wire.texts().slice(3)).toEqual(['two', 'three'])
  clock.move(1_000)
  expect(wire.texts().slice(3)).toEqual(['two', 'three', 'four'])
  for (const text of ['two', 'three', 'four']) wire.answer(text, { isDelivered: true })
  expect(await results()).toEqual(['delivered', 'delivered', 'delivered', 'delivered'])
})

test('a message that the server would accept only after its 10 s rejects at once, with the time', async () => {
  const { messages, wire, note, results } = outgoing()
  note(messages.send('bob', 'one'))
  messages.flush(wire.write)
  wire.refuse('one', 86_400_000)
  expect(await results()).toEqual([{ retryAfterMs: 86_400_000 }])
})

test('a refusal counts for a minute: then the device sends at its own rate again, also in another session', async () => {
  const { messages, clock, wire, note } = outgoing()
  note(messages.send('bob', 'one'))
  messages.flush(wire.write)
  wire.refuse('one', 86_400_000)
  clock.move(59_990)
  note(messages.send('bob', 'two'))
  messages.interrupt()
  messages.flush(wire.write)
  expect(wire.texts()).toEqual(['one'])
  clock.move(10)
  for (const text of ['three', 'four']) note(messages.send('bob', text))
  messages.flush(wire.write)
  clock.move(1_000)
  expect(wire.texts()).toEqual(['one', 'two', 'three', 'four'])
})

test('a message that the server would accept at the end of its 10 s rejects at once, and one a millisecond before is sent', async () => {
  for (const [hintMs, outcome] of [
    [10_000, { retryAfterMs: 10_000 }],
    [9_999, 'delivered'],
  ] as const) {
    const { messages, clock, wire, note, results } = outgoing()
    note(messages.send('bob', 'one'))
    messages.flush(wire.write)
    wire.refuse('one', hintMs)
    const waiting = new Promise(resolve => setImmediate(resolve, 'waiting'))
    expect(await Promise.race([results(), waiting])).toEqual(outcome === 'delivered' ? 'waiting' : [outcome])
    clock.move(9_999)
    if (outcome === 'delivered') wire.answer('one', { isDelivered: true })
    expect([wire.texts().length, await results()]).toEqual([outcome === 'delivered' ? 2 : 1, [outcome]])
  }
})

test('a message written to a socket that closed is unconfirmed, an unwritten one goes over the next socket, and none is sent twice', async () => {
  const { messages, clock, wire, note, results } = outgoing()
  for (let index = 0; index < 401; index++) note(messages.send('bob', String(index)))
  messages.flush(wire.write)
  expect(wire.texts()).toHaveLength(400)
  wire.answer('0', { isDelivered: true })
  wire.answer('1', { isDelivered: false })
  messages.interrupt()
  clock.move(1_000)
  expect(wire.texts()).toHaveLength(400)
  messages.flush(wire.write)
  expect(wire.texts().at(-1)).toBe('400')
  wire.answer('400', { isDelivered: true })
  wire.answer('2', { isDelivered: true }) // Too late: it has its outcome.
  const all = await results()
  expect(all.slice(0, 2)).toEqual(['delivered', 'undelivered'])
  expect(new Set(all.slice(2, 400))).toEqual(new Set(['unconfirmed']))
  expect(all[400]).toBe('delivered')
  expect(new Set(wire.texts()).size).toBe(401)
})

test('after 10 s a message that was never sent is undelivered, and one without an answer unconfirmed', async () => {
  const { messages, clock, wire, note, results } = outgoing()
  note(messages.send('bob', 'offline'))
  clock.move(9_999)
  note(messages.send('bob', 'sent'))
  clock.move(1)
  messages.flush(wire.write)
  expect(wire.texts()).toEqual(['sent'])
  clock.move(9_999)
  expect(await results()).toEqual(['undelivered', 'unconfirmed'])
})

test('close() rejects unsent messages, and reports sent ones as unconfirmed', async () => {
  const { messages, wire, note, results } = outgoing()
  note(messages.send('bob', 'sent'))
  messages.flush(wire.write)
  messages.interrupt()
  note(messages.send('bob', 'waiting'))
  messages.close(new KithError('closed', 'This client was closed'))
  expect(await results()).toEqual(['unconfirmed', 'closed'])
})

test('a clock that is set back an hour, or ahead ten years, changes neither the rate nor the time of a message', async () => {
  for (const byMs of [-3_600_000, 315_360_000_000]) {
    const { messages, clock, wire, note, results } = outgoing()
    for (let index = 0; index < 420; index++) note(messages.send('bob', String(index)))
    messages.flush(wire.write)
    clock.set(byMs)
    messages.flush(wire.write)
    expect(wire.texts()).toHaveLength(400)
    clock.move(250)
    expect(wire.texts()).toHaveLength(410)
    clock.move(9_750)
    expect(wire.texts()).toHaveLength(420)
    expect(new Set(await results())).toEqual(new Set(['unconfirmed']))
  }
})

test('an empty message is a TypeError, and offline a message is undelivered after 10 s', async () => {
  const clock = new TestClock()
  const alice = await installation('alice', { WebSocket, clock }).open()
  await expect(alice.send('bob', '')).rejects.toThrow(TypeError)
  const delivery = alice.send('bob', 'hello')
  await new Promise(resolve => setImmediate(resolve))
  clock.move(10_000)
  expect(await delivery).toBe('undelivered')
})

/** Outcomes by the order of sending, recorded as they arrive. */
function sent(sending: readonly Promise<Delivery>[]): Map<number, Result> {
  const results = new Map<number, Result>()
  sending.forEach((delivery, index) => {
    delivery.then(
      result => results.set(index, result),
      ({ retryAfterMs }: KithError) => results.set(index, { retryAfterMs }),
    )
  })
  return results
}

interface Wire {
  write(message: ClientMessage): void
  texts(): string[]
  answer(text: string, outcome: { isDelivered: boolean }): void
  refuse(text: string, retryAfterMs: number): void
}

/** The outgoing messages of a device. A test answers its wire. */
function outgoing(): {
  messages: OutgoingMessages
  clock: TestClock
  wire: Wire
  note(sending: Promise<Delivery>): void
  /** The results of all noted messages. */
  results(): Promise<Result[]>
} {
  const clock = new TestClock()
  let count = 0
  const randomness = {
    bytes: (length: number): Uint8Array => {
      count++
      return Uint8Array.from({ length }, (_, index) => Math.floor(count / 64 ** index))
    },
    fraction: () => 0,
  }
  const messages = new OutgoingMessages(clock, randomness)
  const written: Extract<ClientMessage, { type: 'sendMessage' }>[] = []
  const idOf = (text: string): string => [...written].reverse().find(message => message.text === text)?.id ?? ''
  const all: Promise<Result>[] = []
  return {
    ...{ messages, clock },
    wire: {
      write: message => void written.push(message as (typeof written)[number]),
      texts: () => written.map(({ text }) => text),
      answer: (text, { isDelivered }) =>
        messages.outcome({ id: idOf(text), state: isDelivered ? 'delivered' : 'undelivered' }),
      refuse: (text, retryAfterMs) =>
        messages.outcome({
          ...{ id: idOf(text), state: 'undelivered' as const },
          refusal: { code: 'too-many-messages', retryAfterMs },
        }),
    },
    note: sending => {
      const result = sending.catch(({ code, retryAfterMs }: KithError): Result => {
        return code === 'closed' ? 'closed' : { retryAfterMs }
      })
      all.push(result)
    },
    results: () => Promise.all(all),
  }
}
