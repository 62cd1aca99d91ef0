import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import {
  type Bus,
  type BusMessage,
  type Carrier,
  type Letter,
  LocalHub,
  openBus,
  openEnvelope,
  sealEnvelope,
} from '../support/server-internals.ts'
import { isOver, settled } from '../support/test-table.ts'

const key = new Uint8Array(32).fill(5)
const subject = 'topic.presence'
const stir: BusMessage = { type: 'stir', users: ['alice'] }

function letter(change: Partial<Letter> = {}): Letter {
  return { type: 'letter', from: 'alice', to: 'bob', id: 'm', text: 'hello', ...change }
}

/** Returns what a node reads from an envelope with any content. */
function opened(envelope: unknown): unknown {
  return openEnvelope(key, subject, sealEnvelope(key, subject, envelope as never))
}

const say = (message: unknown): unknown => ({ kind: 'say', from: 'a node', message })

test.each<[string, unknown]>([
  ['a stir', say(stir)],
  ['a stir of 500 users', say({ type: 'stir', users: Array(500).fill('alice') })],
  ['a stir of nobody', say({ type: 'stir', users: [] })],
  ['a letter', { kind: 'ask', from: 'x'.repeat(64), request: 1, message: letter() }],
  ['a letter with the longest id', { kind: 'ask', from: '', request: 2, message: letter({ id: 'x'.repeat(64) }) }],
  ['an answer', { kind: 'answer', from: 'x', request: Number.MAX_SAFE_INTEGER, message: { type: 'taken' } }],
  ['a reason as long as may be', { kind: 'decline', from: 'x', request: 3, reason: 'r'.repeat(500) }],
])('what a node sends arrives as it is: %s', (_, envelope) => {
  expect(opened(envelope)).toEqual(envelope)
})

test('a letter with a text of 4 MiB arrives, and a longer one is refused', () => {
  const most = 4 * 1024 * 1024
  expect(opened(say(letter({ text: 'x'.repeat(most) })))).toMatchObject({ message: { type: 'letter' } })
  expect(() => opened(say(letter({ text: 'x'.repeat(most + 1) })))).toThrow(`more than ${most} characters`)
})

test.each<[string, unknown, string]>([
  ['a letter from nobody', say(letter({ from: '' })), 'from is no user id'],
  ['a letter to nobody', say(letter({ to: ' ' })), 'to is no user id'],
  ['a letter with a number as its id', say({ ...letter(), id: 1 }), 'id is no text'],
  ['an envelope from a node with too long a name', { ...(say(stir) as object), from: 'x'.repeat(65) }, '64 characters'],
  ['an answer without a message', { kind: 'answer', from: 'x', request: 1 }, 'a message that is no object'],
  ['a message that is a list', say([stir]), 'a message that is no object'],
  ['an envelope that is null', null, 'an envelope that is no object'],
  ['a request as a text', { kind: 'decline', from: 'x', request: '1', reason: '' }, 'request is no whole number'],
  ['a decline without a reason', { kind: 'decline', from: 'x', request: 1 }, 'reason is no text'],
  ['a reason that is too long', { kind: 'decline', from: 'x', request: 1, reason: 'r'.repeat(501) }, '500 characters'],
  ['a type that is no text', say({ type: { a: 'x'.repeat(99) } }), 'of the unknown type {"a":"xxxxx'],
])('what no node sends is refused: %s', (_, envelope, message) => {
  expect(() => opened(envelope)).toThrow(message)
})

test('an envelope that was cut, changed in any byte, or sealed for another subject or cluster is refused', () => {
  const sealed = sealEnvelope(key, subject, say(stir) as never)
  for (const length of [0, 1, 16, 17]) {
    expect(() => openEnvelope(key, subject, sealed.subarray(0, length))).toThrow(`${length} bytes: too short`)
  }
  expect(() => openEnvelope(key, subject, sealed.subarray(0, 18))).toThrow('no node of this cluster')
  for (const index of sealed.keys()) {
    const changed = Uint8Array.from(sealed)
    changed[index] = (changed[index] as number) ^ 1
    expect(() => openEnvelope(key, subject, changed)).toThrow(index === 0 ? 'of version 0' : 'no node of this cluster')
  }
  expect(() => openEnvelope(key, 'topic.other', sealed)).toThrow('no node of this cluster')
  expect(() => openEnvelope(new Uint8Array(32), subject, sealed)).toThrow('no node of this cluster')
})

interface Node {
  bus: Bus
  carrier: Carrier
  refused: string[]
}

async function cluster() {
  const hub = new LocalHub()
  const clock = new TestClock()
  const node = async (name: string): Promise<Node> => {
    const refused: string[] = []
    const carrier = hub.carrier()
    const bus = await openBus({ carrier, node: name, key, clock, refused: error => void refused.push(error.message) })
    return { bus, carrier, refused }
  }
  return { hub, clock, first: await node('first'), second: await node('second') }
}

function messageOf(request: Promise<unknown>): Promise<unknown> {
  return request.catch((error: Error) => error.message)
}

test('a request that is answered, declined or late leaves no timer and nothing that waits', async () => {
  const { clock, first, second } = await cluster()
  const answers: (BusMessage | Error)[] = [{ type: 'taken' }, new Error('a detail')]
  second.bus.answer('letter', async () => {
    const answer = answers.shift()
    if (answer instanceof Error) throw answer
    return answer
  })
  const ask = (): Promise<unknown> => messageOf(first.bus.request('second', letter(), 1_000))
  expect(await ask()).toEqual({ type: 'taken' })
  // The details of the error appear only in the log of the queried node.
  expect([await ask(), second.refused, first.refused]).toEqual(['node second declined: it failed', ['a detail'], []])
  expect(clock.timerCount).toBe(0)
  const late = ask()
  await settled()
  clock.move(999)
  expect(await isOver(late)).toBe(false)
  clock.move(1)
  expect([await late, clock.timerCount]).toEqual(['node second did not answer in 1000 ms', 0])
})

test('of a kind of request that nobody answers the node says so', async () => {
  const { first, second } = await cluster()
  expect(await messageOf(first.bus.request('second', stir, 1_000))).toBe('node second declined: no request is a stir')
  expect(second.refused).toEqual([])
})

test('an answer to a request that is over, and what is said on the subject of a node, change nothing', async () => {
  const { first, hub } = await cluster()
  const own = 'node.first'
  hub.publish(own, sealEnvelope(key, own, { kind: 'answer', from: 'second', request: 9, message: { type: 'taken' } }))
  hub.publish(own, sealEnvelope(key, own, { kind: 'say', from: 'second', message: stir }))
  await settled()
  expect(first.refused).toEqual([])
})

test('a node hears neither itself nor requests on a topic, and after a lost connection each listener is told', async () => {
  const { first, second, hub } = await cluster()
  const heard: string[] = []
  await first.bus.subscribe('presence', (_, from) => heard.push(from))
  for (const name of ['one', 'other']) first.bus.onGap(() => heard.push(name))
  first.bus.publish('presence', stir)
  second.bus.publish('presence', stir)
  hub.publish(subject, sealEnvelope(key, subject, { kind: 'ask', from: 'second', request: 1, message: stir }))
  hub.publish(subject, new Uint8Array(3))
  await settled()
  expect([heard, first.refused]).toEqual([['second'], ['a message of 3 bytes: too short']])
  hub.cut()
  await settled()
  expect(heard).toEqual(['second', 'one', 'other'])
})

test('what was under way when the connections were lost does not arrive', async () => {
  const { first, second, hub } = await cluster()
  const heard: string[] = []
  await first.bus.subscribe('presence', (_, from) => heard.push(from))
  second.bus.publish('presence', stir)
  hub.cut()
  await settled()
  expect(heard).toEqual([])
})

test('a failure of the carrier is reported', async () => {
  const { first } = await cluster()
  first.carrier.port.failed(new Error('a failure'))
  expect(first.refused).toEqual(['a failure'])
})

test('[S3] 100,000 requests of a node may wait; one more is refused, and has room when one is over', async () => {
  const { first, clock } = await cluster()
  const nobody = 'a node that is gone'
  const all = Array.from({ length: 100_000 }, (_, index) => first.bus.request(nobody, stir, index === 0 ? 1 : 9_000))
  for (const one of all) one.catch(() => undefined)
  expect(await messageOf(first.bus.request(nobody, stir, 9_000))).toMatch('100000 requests wait')
  clock.move(1)
  expect(await isOver(first.bus.request(nobody, stir, 9_000))).toBe(false)
}, 60_000)

test('a node that has closed says and answers nothing', async () => {
  const { first, second } = await cluster()
  const heard: string[] = []
  await second.bus.subscribe('presence', (_, from) => heard.push(from))
  let isAsked = false
  first.bus.answer('letter', async () => {
    isAsked = true
    return { type: 'taken' }
  })
  await first.bus.close()
  first.bus.publish('presence', stir)
  const asked = messageOf(second.bus.request('first', letter(), 10))
  await settled()
  expect([heard, isAsked, await isOver(asked)]).toEqual([[], false, false])
})
