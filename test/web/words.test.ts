import { defaultLimits } from '@kith/shared'
import { encodeFrame, type Frame } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import type { Direction } from '../../examples/web/src/trace/recording-socket.ts'
import { Teller } from '../../examples/web/src/trace/teller.ts'
import type { Kind } from '../../examples/web/src/trace/told.ts'
import { teller } from './support/told-frames.ts'

const none = new Uint8Array()
const some = Uint8Array.of(1, 2, 3)
const account = { isErased: false, incarnation: some }
type Example<T extends Frame['type']> = [Direction, Extract<Frame, { type: T }>, Kind, string]

/** An example of each type. The compiler reports a message type without an example. */
const examples: { [T in Frame['type']]: Example<T> } = {
  rosterSync: [
    'received',
    { type: 'rosterSync', step: 'step1', payload: Uint8Array.of(0) },
    'roster',
    'The server asks Alice’s phone what it lacks of Alice’s roster',
  ],
  deflatedRoster: [
    'sent',
    { type: 'deflatedRoster', step: 'update', size: 3, payload: Uint8Array.of(1, 2) },
    'problem',
    'Alice’s phone sent a compressed change of its roster that cannot be read',
  ],
  ownProfile: [
    'sent',
    { type: 'ownProfile', step: 'step1', payload: Uint8Array.of(0) },
    'profile',
    'Alice’s phone has nothing yet, and asks for all of Alice’s own profile',
  ],
  awareness: ['received', { type: 'awareness' }, 'keepalive', 'The server says: I am still here'],
  queryAwareness: [
    'sent',
    { type: 'queryAwareness' },
    'keepalive',
    'Alice’s phone asks whether the server is still there',
  ],
  hello: [
    'sent',
    { type: 'hello', version: 1, cursor: some, owners: ['bob'] },
    'session',
    'Alice’s phone says hello: it goes on reading from its bookmark, and looks at Bob',
  ],
  welcome: [
    'received',
    { type: 'welcome', isFresh: true, ...account, limits: defaultLimits },
    'session',
    'The server welcomes Alice’s phone: all that it may see comes anew',
  ],
  barrier: [
    'sent',
    { type: 'barrier', id: 1, withFeed: false },
    'barrier',
    'Alice’s phone asks: is everything so far on disk?',
  ],
  reached: [
    'received',
    { type: 'reached', id: 1, isComplete: true },
    'barrier',
    'All that Alice’s phone sent is on the server’s disk',
  ],
  refused: [
    'received',
    { type: 'refused', document: 'roster', code: 'label-too-long' },
    'problem',
    'The server refused a change of the roster by Alice’s phone: a label is too long',
  ],
  fetch: ['sent', { type: 'fetch', owner: 'bob' }, 'feed', 'Alice’s phone asks to see Bob'],
  access: [
    'received',
    {
      ...{ type: 'access', owner: 'bob', levels: [0, 5], isWaiting: true, hasJustJoined: true, isFetched: true },
      cursor: none,
    },
    'feed',
    'Bob has joined. The server checked what Alice’s phone may see of Bob: levels 0 and 5; ' +
      'the follow waits, beyond a limit',
  ],
  profile: [
    'received',
    { type: 'profile', owner: 'bob', level: 5, fields: { city: 'Oslo', phone: '1' }, cursor: none },
    'feed',
    'Alice’s phone got Bob’s level 5: city, phone',
  ],
  difference: [
    'received',
    {
      ...{ type: 'difference', owner: 'bob', level: 5, fields: { city: 'Oslo' }, removed: ['phone'], cursor: none },
      digest: new Uint8Array(16),
    },
    'feed',
    'Alice’s phone got what changed of Bob’s level 5: city; no longer phone',
  ],
  caughtUp: [
    'received',
    { type: 'caughtUp', cursor: some },
    'feed',
    'Alice’s phone now has all that it may see of others, and a bookmark to go on from',
  ],
  sendMessage: [
    'sent',
    { type: 'sendMessage', id: '1', to: 'bob', text: 'hello' },
    'message',
    'Alice’s phone sends Bob a message: “hello”',
  ],
  message: [
    'received',
    { type: 'message', id: '1', from: 'bob', text: 'hello' },
    'message',
    'Alice’s phone got a message from Bob: “hello”',
  ],
  received: ['sent', { type: 'received', id: '1', from: 'bob' }, 'message', 'Alice’s phone has taken Bob’s message'],
  outcome: [
    'received',
    { type: 'outcome', id: '1', state: 'undelivered', refusal: { code: 'too-many-messages', retryAfterMs: 1500 } },
    'problem',
    'The message of Alice’s phone was refused: too many messages; try again in 2 s',
  ],
  renew: ['sent', { type: 'renew', token: 'a.secret' }, 'session', 'Alice’s phone hands in a newer token'],
  failure: [
    'received',
    { type: 'failure', code: 'discovery-limit', retryAfterMs: 86_400_000, count: 3, addresses: ['bob', 'eve'] },
    'problem',
    'What Alice’s phone asked of 3 users (Bob, Eve) waits, for 24 h: too many were looked up for the first time',
  ],
  watch: [
    'sent',
    { type: 'watch', owners: ['bob', 'carol'] },
    'feed',
    'Alice’s phone asks to be told who is online: Bob, Carol',
  ],
  presence: [
    'received',
    { type: 'presence', owner: 'bob', state: { is: 'offline', lastSeenMinute: 29_453_760 } },
    'feed',
    'Alice’s phone was told of Bob: offline, last seen 2026-01-01 00:00',
  ],
}

test.each(Object.entries(examples))(
  'a message of the type %s is described in words',
  (_, [direction, message, kind, text]) => {
    const bytes = encodeFrame(message)
    expect(teller().bytes(direction, bytes)).toMatchObject({ kind, text, bytes: bytes.length })
  },
)

test('opening and closing are described, with the reason', () => {
  const told = new Teller({ device: 'Alice’s phone', user: 'alice' })
  expect(told.tell({ type: 'opened', atMs: 0 })).toEqual({
    ...{ kind: 'session', text: 'Alice’s phone is connected', bytes: 0 },
  })
  const reasons = [1000, 1001, 1006, 4400, 4401, 4403, 4413, 4500, 4503, 4529].map(code => {
    const { text } = told.tell({ type: 'closed', atMs: 0, code, reason: '' })
    return text.replace('Alice’s phone is no longer connected: ', '')
  })
  expect(reasons).toEqual([
    'it hung up',
    'the server stops, come back',
    'the connection was lost',
    'the server found a frame that breaks the protocol',
    'the token is wrong, expired or revoked',
    'it belongs to somebody else, or its account was erased',
    'the server found a frame too large',
    'the server can’t serve it now',
    'the server has no room for another connection',
    'it went over a limit',
  ])
})

test('an answer names its request', () => {
  const told = teller()
  told.sent({ type: 'sendMessage', id: 'a', to: 'bob', text: 'a' })
  told.sent({ type: 'sendMessage', id: 'b', to: 'carol', text: 'b' })
  expect(told.received({ type: 'outcome', id: 'b', state: 'delivered' }).text).toBe(
    'The message of Alice’s phone to Carol was delivered: a device took it',
  )
  expect(told.received({ type: 'outcome', id: 'a', state: 'undelivered' }).text).toBe(
    'The message of Alice’s phone to Bob was not delivered',
  )
  told.sent({ type: 'barrier', id: 7, withFeed: true })
  expect(told.received({ type: 'reached', id: 7, isComplete: true }).text).toBe(
    'All that Alice’s phone sent is on the server’s disk, and it was told all that it may see',
  )
  expect(told.received({ type: 'reached', id: 8, isComplete: false })).toMatchObject({ kind: 'problem' })
})

test('changes of what a device may see are described', () => {
  const told = teller()
  told.received({ type: 'welcome', isFresh: true, ...account, limits: defaultLimits })
  const access = (...levels: number[]): string => {
    const flags = { isWaiting: false, hasJustJoined: false, isFetched: false }
    const { text } = told.received({ type: 'access', owner: 'bob', levels, ...flags, cursor: none })
    return text.replace('The server checked what Alice’s phone may see of Bob: ', '')
  }
  expect([access(), access(0, 5), access(0), access(2, 3), access(2, 3), access()]).toEqual([
    'nothing',
    'levels 0 and 5',
    'level 5 no longer; withdrew it; still level 0',
    'level 0 no longer; withdrew it; now levels 2 and 3',
    'still levels 2 and 3',
    'levels 2 and 3 no longer; withdrew them; nothing is left',
  ])
  access(9)
  told.received({ type: 'welcome', isFresh: false, ...account, limits: defaultLimits })
  expect(access()).toBe('level 9 no longer; withdrew it; nothing is left')
  access(9)
  told.received({ type: 'welcome', isFresh: true, ...account, limits: defaultLimits })
  expect(access()).toBe('nothing')
})

test('[D7] an erased account and an id that changed hands are described in words', () => {
  const told = teller()
  const erased = { isFresh: true, isErased: true, incarnation: some, limits: defaultLimits }
  expect(told.received({ type: 'welcome', ...erased })).toMatchObject({
    kind: 'problem',
    text: 'The server tells Alice’s phone that its account was erased: the device deletes all that it holds',
  })
  told.received({ type: 'welcome', isFresh: true, ...account, limits: defaultLimits })
  const flags = { isWaiting: false, hasJustJoined: false, isFetched: false, changedHands: 'AQIDBAUGBwg' }
  expect(told.received({ type: 'access', owner: 'bob', levels: [], ...flags, cursor: none }).text).toBe(
    'The server checked what Alice’s phone may see of Bob: nothing. The account of Bob was erased: ' +
      'what this roster gives to that id does not count until it is confirmed',
  )
})

test('presence is described as far as the device may know it', () => {
  const told = teller()
  const texts = (['unknown', 'online', 'offline'] as const).map(
    is => told.received({ type: 'presence', owner: 'bob', state: { is } }).text,
  )
  expect(texts).toEqual([
    'Alice’s phone was told of Bob: nothing that it may know',
    'Alice’s phone was told of Bob: online',
    'Alice’s phone was told of Bob: offline',
  ])
  expect(told.sent({ type: 'watch', owners: [] }).text).toBe('Alice’s phone asks no more who is online')
})

test('to a teller that began in the middle, what is withdrawn may have been there', () => {
  const told = teller()
  told.received({ type: 'welcome', isFresh: false, ...account, limits: defaultLimits })
  const flags = { isWaiting: false, hasJustJoined: false, isFetched: false }
  expect(told.received({ type: 'access', owner: 'bob', levels: [], ...flags, cursor: none }).text).toBe(
    'The server checked what Alice’s phone may see of Bob: nothing; withdrew what it had',
  )
})
