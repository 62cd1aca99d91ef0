import { createHash } from 'node:crypto'
import { defaultLimits, type Fields, type FieldValue, isUserId } from '@kith/shared'
import {
  type ClientMessage,
  decodeFields,
  decodeFrame,
  decodeNewerFrame,
  decodeServerMessage,
  encodeClientMessage,
  encodeDifferenceFrame,
  encodeFields,
  encodeFrame,
  encodeProfileFrame,
  type Frame,
  fieldsDigest,
  fitOf,
  isYProtocols,
  maxFailureAddresses,
  maxInflatedBytes,
  splitFields,
  wireVersion,
} from '@kith/shared/wire'
import fc from 'fast-check'
import * as decoding from 'lib0/decoding'
import { describe, expect, test } from 'vitest'
import * as awarenessProtocol from 'y-protocols/awareness'
import { holds } from '../support/properties.ts'

const fields: Fields = { age: 33, avatar: Uint8Array.of(0xff, 0), busy: false, name: 'Adä', shown: true }
const sevenLimits = {
  rosterBytes: 8_388_608,
  profileBytes: 65_536,
  profileLevels: 16,
  fieldNameBytes: 64,
  labelBytes: 256,
  messageBytes: 16_384,
  relations: 100_000,
}

// The bytes that every release of kith.v1 must write and read.
const golden: [message: Frame, hex: string][] = [
  [{ type: 'rosterSync', step: 'step1', payload: Uint8Array.of(0) }, '00 00 01 00'],
  [{ type: 'rosterSync', step: 'step2', payload: Uint8Array.of(0, 0) }, '00 01 02 0000'],
  [{ type: 'rosterSync', step: 'update', payload: Uint8Array.of() }, '00 02 00'],
  [{ type: 'awareness' }, '01 01 00'],
  [{ type: 'queryAwareness' }, '03'],
  [{ type: 'hello', version: 1, cursor: Uint8Array.of() }, '64 01 00 00 00'],
  [{ type: 'hello', version: 1, cursor: Uint8Array.of(1, 2, 3) }, '64 01 03 010203 00 00'],
  [
    { type: 'hello', version: 1, cursor: Uint8Array.of(1), owners: ['bob', 'eve'] },
    '64 01 01 01 00 02 03 626f62 03 657665',
  ],
  [{ type: 'hello', version: 1, cursor: Uint8Array.of(1), incarnation: Uint8Array.of(7, 8) }, '64 01 01 01 02 0708 00'],
  [
    { type: 'welcome', isFresh: true, isErased: false, incarnation: Uint8Array.of(7, 8), limits: sevenLimits },
    '65 01 02 0708 80808004 808004 10 40 8002 808001 a08d06',
  ],
  [
    {
      ...{ type: 'welcome', isFresh: false, isErased: true, incarnation: Uint8Array.of(9) },
      limits: { ...sevenLimits, labelBytes: 0 },
    },
    '65 02 01 09 80808004 808004 10 40 00 808001 a08d06',
  ],
  [{ type: 'hello', version: 2, oldest: 1, cursor: Uint8Array.of(1) }, '64 02 01 01 00 00 01'],
  [
    {
      ...{ type: 'welcome', isFresh: true, isErased: false, incarnation: Uint8Array.of(9), limits: sevenLimits },
      understands: { wire: 2, privacy: ['nobody'] },
    },
    '65 05 01 09 80808004 808004 10 40 8002 808001 a08d06 02 01 06 6e6f626f6479',
  ],
  [{ type: 'hello', version: 3, oldest: 1, cursor: Uint8Array.of(1) }, '64 03 01 01 00 00 01 00 00'],
  [
    { type: 'hello', version: 3, oldest: 1, cursor: Uint8Array.of(1), holds: { profile: new Uint8Array(16).fill(7) } },
    '64 03 01 01 00 00 01 00 10 07070707070707070707070707070707',
  ],
  [
    {
      ...{ type: 'welcome', isFresh: false, isErased: false, incarnation: Uint8Array.of(9), limits: sevenLimits },
      understands: { wire: 3, privacy: [], same: ['profile'] },
    },
    '65 04 01 09 80808004 808004 10 40 8002 808001 a08d06 03 00 02',
  ],
  [{ type: 'ownProfile', step: 'step1', payload: Uint8Array.of(0) }, '66 00 01 00'],
  [{ type: 'ownProfile', step: 'step2', payload: Uint8Array.of(0, 0) }, '66 01 02 0000'],
  [{ type: 'ownProfile', step: 'update', payload: Uint8Array.of(9) }, '66 02 01 09'],
  [{ type: 'barrier', id: 300, withFeed: true }, '67 ac02 01'],
  [{ type: 'barrier', id: Number.MAX_SAFE_INTEGER, withFeed: false }, '67 ffffffffffffff0f 00'],
  [{ type: 'reached', id: 300, isComplete: false }, '68 ac02 00'],
  [{ type: 'reached', id: 0, isComplete: true }, '68 00 01'],
  [
    { type: 'refused', document: 'profile', code: 'profile-too-large' },
    '69 01 11 70 72 6f 66 69 6c 65 2d 74 6f 6f 2d 6c 61 72 67 65',
  ],
  [{ type: 'refused', document: 'roster', code: 'malformed' }, '69 00 09 6d616c666f726d6564'],
  [{ type: 'fetch', owner: 'bob' }, '6a 03 626f62'],
  [
    {
      type: 'access',
      owner: 'bob',
      levels: [0, 2, 255],
      isWaiting: false,
      hasJustJoined: true,
      isFetched: false,
      cursor: Uint8Array.of(9),
    },
    '6b 03 626f62 02 03 00 02 ff 01 09',
  ],
  [
    {
      type: 'access',
      owner: 'bob',
      levels: [],
      isWaiting: true,
      hasJustJoined: false,
      isFetched: false,
      cursor: Uint8Array.of(),
    },
    '6b 03 626f62 01 00 00',
  ],
  [
    {
      type: 'access',
      owner: 'bob',
      levels: [0],
      isWaiting: false,
      hasJustJoined: false,
      isFetched: true,
      cursor: Uint8Array.of(),
    },
    '6b 03 626f62 04 01 00 00',
  ],
  [
    {
      type: 'access',
      owner: 'bob',
      levels: [],
      isWaiting: false,
      hasJustJoined: false,
      isFetched: false,
      changedHands: 'AQIDBAUGBwg',
      cursor: Uint8Array.of(9),
    },
    '6b 03 626f62 08 0b 4151494442415547427767 00 01 09',
  ],
  [
    { type: 'profile', owner: 'bob', level: 2, fields, cursor: Uint8Array.of(7) },
    `6c 01 07 03 626f62 01 02 05
     03 616765 01 4040800000000000
     06 617661746172 04 02 ff00
     04 62757379 03
     04 6e616d65 00 04 4164c3a4
     05 73686f776e 02`,
  ],
  [{ type: 'profile', owner: 'bob', level: 0, fields: {}, cursor: Uint8Array.of() }, '6c 00 03 626f62 01 00 00'],
  [
    {
      ...{ type: 'difference', owner: 'bob', level: 2, cursor: Uint8Array.of(7) },
      ...{ fields: { age: 34 }, removed: ['busy', 'name'], digest: new Uint8Array(16).fill(0xd1) },
    },
    `77 01 07 03 626f62 01 02 10 d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1
     02 04 62757379 04 6e616d65
     01 03 616765 01 4041000000000000`,
  ],
  [
    {
      ...{ type: 'difference', owner: 'bob', level: 0, cursor: Uint8Array.of() },
      ...{ fields: {}, removed: [], digest: new Uint8Array(16) },
    },
    '77 00 03 626f62 01 00 10 00000000000000000000000000000000 00 00',
  ],
  [{ type: 'caughtUp', cursor: Uint8Array.of(1, 5) }, '6d 02 0105'],
  [{ type: 'sendMessage', id: '1', to: 'bob', text: 'hi €' }, '6e 01 31 03 626f62 06 6869 20 e282ac'],
  [{ type: 'message', id: '', from: 'bob', text: '' }, '6f 00 03 626f62 00'],
  [{ type: 'received', id: '1', from: 'bob' }, '70 01 31 03 626f62'],
  [{ type: 'outcome', id: '1', state: 'undelivered' }, '71 01 31 00'],
  [{ type: 'outcome', id: '1', state: 'delivered' }, '71 01 31 01'],
  [{ type: 'outcome', id: '1', state: 'unconfirmed' }, '71 01 31 02'],
  [
    {
      type: 'outcome',
      id: '1',
      state: 'undelivered',
      refusal: { code: 'too-many-messages', retryAfterMs: 20 },
    },
    '71 01 31 03 11 746f6f2d6d616e792d6d65737361676573 14',
  ],
  [{ type: 'renew', token: 'a.b' }, '72 03 612e62'],
  [
    { type: 'failure', code: 'discovery-limit', retryAfterMs: 86_400_000, count: 3, addresses: ['bob', 'eve'] },
    '73 0f 646973636f766572792d6c696d6974 80b89929 03 02 03 626f62 03 657665',
  ],
  [
    { type: 'failure', code: 'malformed', retryAfterMs: 0, count: 0, addresses: [] },
    '73 09 6d616c666f726d6564 00 00 00',
  ],
  [
    { type: 'deflatedRoster', step: 'step2', size: 9, payload: Uint8Array.of(0x63, 0x60, 0x40, 7) },
    '76 09 01 04 63604007',
  ],
  [{ type: 'deflatedRoster', step: 'update', size: 300, payload: Uint8Array.of(3) }, '76 ac02 02 01 03'],
  [{ type: 'watch', owners: [] }, '74 00'],
  [{ type: 'watch', owners: ['bob', 'eve'] }, '74 02 03 626f62 03 657665'],
  [{ type: 'presence', owner: 'bob', state: { is: 'unknown' } }, '75 03 626f62 00'],
  [{ type: 'presence', owner: 'bob', state: { is: 'online' } }, '75 03 626f62 01'],
  [{ type: 'presence', owner: 'bob', state: { is: 'offline' } }, '75 03 626f62 02 00'],
  [{ type: 'presence', owner: 'bob', state: { is: 'offline', lastSeenMinute: 300 } }, '75 03 626f62 02 ac02'],
]

describe('golden bytes', () => {
  const named = golden.map(([message, hex]) => [`${message.type} (${hex.slice(0, 12)}…)`, message, hex] as const)

  test.each(named)('%s is written as its golden bytes', (_, message, hex) => {
    expect(toHex(encodeFrame(message))).toBe(toHex(bytesOf(hex)))
  })

  test.each(named)('%s is read from its golden bytes', (_, message, hex) => {
    expect(decodeFrame(bytesOf(hex))).toStrictEqual(message)
  })

  test('there is a golden frame of every message', () => {
    const types = new Set(golden.map(([message]) => message.type))
    const found = Array.from({ length: 256 }, (_, type) => decodeFrame(varuint(type))).filter(
      answer => answer.type !== 'malformed' || !answer.what.startsWith('no message has the type'),
    )
    expect(types.size).toBe(found.length)
  })

  const fromDevices = ['hello', 'barrier', 'fetch', 'sendMessage', 'received', 'renew', 'watch', 'deflatedRoster']
  const fromBoth = ['rosterSync', 'ownProfile']

  test.each(named)('the direction of %s is as documented', (_, message, hex) => {
    const [isDevices, isBoths] = [fromDevices.includes(message.type), fromBoth.includes(message.type)]
    if (isDevices || isBoths) {
      expect(toHex(encodeClientMessage(message as ClientMessage))).toBe(toHex(bytesOf(hex)))
    }
    const read = decodeServerMessage(bytesOf(hex))
    if (isDevices || message.type === 'queryAwareness') expect(read).toMatchObject({ type: 'malformed' })
    else expect(read).toStrictEqual(message)
  })

  test.each([
    ['a step 1', '76 09 00 01 03'],
    ['a step that there is not', '76 09 03 01 03'],
    ['no gain', '76 01 02 01 03'],
    ['more than is inflated', '76 81808001 02 01 03'],
  ])('[S3] a compressed update with %s is malformed', (_, hex) => {
    expect(decodeFrame(bytesOf(hex))).toMatchObject({ type: 'malformed' })
    expect(decodeFrame(bytesOf('76 80808001 02 01 03'))).toMatchObject({ size: maxInflatedBytes })
  })

  const nothing = '00'.repeat(16)
  test.each([
    ['a shorter digest', '77 00 03 626f62 01 00 0f 000000000000000000000000000000 00 00'],
    ['two levels', `77 00 03 626f62 02 0001 10 ${nothing} 00 00`],
    ['names out of order', `77 00 03 626f62 01 00 10 ${nothing} 02 01 62 01 61 00`],
    ['a name twice', `77 00 03 626f62 01 00 10 ${nothing} 02 01 61 01 61 00`],
  ])('[S1] a difference with %s is malformed', (_, hex) => {
    expect(decodeFrame(bytesOf(hex))).toMatchObject({ type: 'malformed' })
  })

  test('a difference of fields that are encoded already has the bytes of the message', () => {
    const digest = fieldsDigest(fields)
    const message = { owner: 'bob', level: 2, cursor: Uint8Array.of(7), removed: ['email'], digest }
    const { age, name } = fields as { age: number; name: string }
    const [ofAge, ofName] = ['age', 'name'].map(field => splitFields(encodeFields(fields)).get(field) as Uint8Array)
    expect(toHex(encodeDifferenceFrame(message, [ofAge as Uint8Array, ofName as Uint8Array]))).toBe(
      toHex(encodeFrame({ type: 'difference', ...message, fields: { age, name } })),
    )
  })

  test('the digest of fields is the first 16 bytes of SHA-256 over their encoding', () => {
    const expected = createHash('sha256').update(encodeFields(fields)).digest().subarray(0, 16)
    expect(toHex(fieldsDigest(fields))).toBe(expected.toString('hex'))
  })

  test('the limits sent are the defaults that are documented', () => {
    expect(defaultLimits).toMatchObject(sevenLimits)
  })
})

describe('[S1] decoding is total', () => {
  test('[S1] every truncation of a frame is malformed', () => {
    for (const [message, hex] of golden) {
      const frame = bytesOf(hex)
      for (let length = 0; length < frame.length; length++) {
        expect(decodeFrame(frame.slice(0, length)).type, `${message.type}, ${length} bytes`).toBe('malformed')
      }
    }
  })

  test('[S1] every frame with bytes after its end is malformed', () => {
    for (const [message, hex] of golden) {
      for (const byte of [0, 1, 0x80, 0xff]) {
        expect(decodeFrame(Uint8Array.of(...bytesOf(hex), byte)).type, message.type).toBe('malformed')
      }
    }
  })

  test('[S1] nothing outside the frame is read, although it shares a buffer pool with other sessions', () => {
    for (const [message, hex] of golden) {
      const frame = bytesOf(hex)
      for (let length = 0; length <= frame.length; length++) {
        // After the end of the truncated frame comes its possible continuation, then a secret.
        const pool = Buffer.alloc(4096, 'secret')
        pool.set(frame, 100)
        const answer = decodeFrame(pool.subarray(100, 100 + length))
        expect(answer).toStrictEqual(length === frame.length ? message : expect.objectContaining({ type: 'malformed' }))
        expect(JSON.stringify(answer)).not.toContain('secret')
      }
    }
  })

  test('[S1] a length that reaches beyond the frame, not beyond the pool, is malformed', () => {
    for (const hex of ['00 02 10 01', '64 01 10 01', '66 02 10 01', '6a 10 62', '6d 10 01', '72 10 61', '01 10 00']) {
      const pool = Buffer.alloc(4096, 'secret')
      const frame = bytesOf(hex)
      pool.set(frame, 100)
      expect(decodeFrame(pool.subarray(100, 100 + frame.length)).type, hex).toBe('malformed')
    }
    const pool = Buffer.alloc(4096, 'secret')
    const halfNumber = bytesOf('6c 00 03 626f62 01 00 01 01 61 01 4040')
    pool.set(halfNumber, 100)
    expect(decodeFrame(pool.subarray(100, 100 + halfNumber.length)).type).toBe('malformed')
  })

  test('[S1] bytes of a message have memory of their own', () => {
    for (const [, hex] of golden) {
      const frame = bytesOf(hex)
      const pool = Buffer.alloc(4096, 'secret')
      pool.set(frame, 100)
      const message = decodeFrame(pool.subarray(100, 100 + frame.length))
      const before = structuredClone(message)
      pool.fill(0)
      expect(message).toStrictEqual(before)
      for (const bytes of everyBytes(message)) expect(bytes.buffer.byteLength).toBe(bytes.length)
    }
  })

  test('[S1] any bytes are a message or malformed, and a message is written as exactly the bytes that it was read from', () => {
    const types = fc.constantFrom(0, 1, 2, 3, ...Array.from({ length: 18 }, (_, index) => 100 + index))
    const noise = fc.tuple(types, fc.uint8Array({ maxLength: 60 })).map(([type, rest]) => Uint8Array.of(type, ...rest))
    const mutant = fc
      .tuple(
        fc.constantFrom(...golden.map(([, hex]) => bytesOf(hex))),
        fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.uint8Array({ maxLength: 9 })), { minLength: 1, maxLength: 3 }),
      )
      .map(([frame, splices]) => {
        const bytes = [...frame]
        for (const [where, removed, added] of splices) bytes.splice(where % (bytes.length + 1), removed, ...added)
        return Uint8Array.from(bytes)
      })
    holds(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), noise, mutant, mutant), bytes => {
        const answer = decodeFrame(bytes)
        if (answer.type === 'malformed') expect(answer.what).toEqual(expect.any(String))
        // Two exceptions: awareness and the additions of a later wire are read and dropped; the many NaN of IEEE 754 become
        // one.
        else if (answer.type !== 'awareness' && !isLater(answer) && !holdsNaN(answer))
          expect(toHex(encodeFrame(answer))).toBe(toHex(bytes))
      }),
      4_000,
    )
  })

  test('[S1] a number has one form: with trailing zero groups it is malformed', () => {
    for (const hex of ['8000 00 01 00', 'e400 01 00', '64 8100 00', '64 01 8000', '67 ac8200 01', '6d 8200 0105']) {
      expect(decodeFrame(bytesOf(hex)).type, hex).toBe('malformed')
    }
  })

  test('[S1] numbers beyond the safe integers are malformed', () => {
    for (const hex of ['67 8080808080808010 01', '67 ffffffffffffff1f 01', '67 ffffffffffffffffff01 01']) {
      expect(decodeFrame(bytesOf(hex)).type, hex).toBe('malformed')
    }
    const endless = new Uint8Array(1024 * 1024).fill(0x80)
    endless[0] = 0x67
    expect(decodeFrame(endless).type).toBe('malformed')
    endless[endless.length - 1] = 0
    expect(decodeFrame(endless).type).toBe('malformed')
    expect(decodeFrame(endless.subarray(1)).type).toBe('malformed')
  })

  test('[S1] huge lengths and counts are refused at once, at any place', () => {
    const started = performance.now()
    const before = process.memoryUsage().arrayBuffers
    let tried = 0
    for (const huge of [2 ** 31 - 1, 2 ** 32, 2 ** 40, 2 ** 50, Number.MAX_SAFE_INTEGER].map(varuint)) {
      for (const [, hex] of golden) {
        const frame = bytesOf(hex)
        for (let where = 1; where < frame.length; where++) {
          decodeFrame(Uint8Array.of(...frame.subarray(0, where), ...huge, ...frame.subarray(where + 1)))
          tried++
        }
      }
    }
    const count = bytesOf('6c 00 03 626f62 01 00')
    const fieldsWithout = Uint8Array.of(...count, ...varuint(2 ** 50), 1, 97, 2)
    expect(decodeFrame(fieldsWithout).type).toBe('malformed')
    expect(tried).toBeGreaterThan(1_000)
    // Some 1,400 frames: far less than a millisecond and a kilobyte each.
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024)
  })

  test.each([
    ['a type that nobody has', '74'],
    ["y-protocols' auth, which no side of Kith sends", '02 00'],
    ['a step beyond the three', '00 03 01 00'],
    ['version 0', '64 00 00 00 00'],
    ['version 2 without the oldest server', '64 02 00 00 00'],
    ['a server older than it must be', '64 02 00 00 00 03'],
    ['a welcome of wire 1 that says what it understands', '65 04 00 80808004 808004 10 40 8002 808001 a08d06 01 00'],
    ['a welcome with 65 privacy names', `65 04 00 00 00 00 00 00 00 00 02 41 ${'01 61'.repeat(65)}`],
    ['a cursor of 65 bytes', `64 01 41 ${'00'.repeat(65)}`],
    ['flags of welcome beyond the three', '65 08 00 80808004 808004 10 40 8002 808001 a08d06'],
    ['flags of access beyond the four', '6b 03 626f62 10 00 00'],
    ['access with an incarnation that is none', '6b 03 626f62 08 02 2121 00 00'],
    ['a boolean that is 2', '67 01 02'],
    ['a code that is none', '69 00 04 6e6f6e65'],
    ['a code from the prototype', '69 00 0b 636f6e7374727563746f72'],
    ['a document beyond the two', '69 02 09 6d616c666f726d6564'],
    ['an empty user id', '6a 00'],
    ['a user id with a space at its end', '6a 02 6220'],
    ['a user id that is not in NFC', '6a 03 61cc88'],
    ['a user id of 129 bytes', `6a 8101 ${'61'.repeat(129)}`],
    ['a user id that is a dot', '6a 01 2e'],
    ['text that is not UTF-8', '72 01 ff'],
    ['a message without text', '6e 01 31 03 626f62 00'],
    ['a surrogate in UTF-8', '72 03 eda080'],
    ['an overlong letter in UTF-8', '72 02 c1a1'],
    ['levels that descend', '6b 03 626f62 00 02 0201 00'],
    ['a level twice', '6b 03 626f62 00 02 0202 00'],
    ['257 levels', `6b 03 626f62 00 8102 ${'00'.repeat(257)} 00`],
    ['a profile of no level', '6c 00 03 626f62 00 00'],
    ['a profile of two levels', '6c 00 03 626f62 02 0001 00'],
    ['field names that descend', '6c 00 03 626f62 01 00 02 01 62 02 01 61 02'],
    ['a field twice', '6c 00 03 626f62 01 00 02 01 61 02 01 61 02'],
    ['a value with an unknown tag', '6c 00 03 626f62 01 00 01 01 61 05'],
    ['101 addresses', `73 09 6d616c666f726d6564 00 00 65 ${'01 61'.repeat(101)}`],
  ])('[S1] %s is malformed', (_, hex) => {
    expect(decodeFrame(bytesOf(hex)).type).toBe('malformed')
  })

  test('[S1] text that is not UTF-8 does not affect the next frame', () => {
    expect(decodeFrame(bytesOf('72 02 61c3')).type).toBe('malformed')
    expect(decodeFrame(bytesOf('72 02 c3a4'))).toEqual({ type: 'renew', token: 'ä' })
    expect(decodeFrame(bytesOf('72 03 efbbbf'))).toEqual({ type: 'renew', token: '\ufeff' })
  })
})

/** Returns whether a side with a later wire sent the frame. The additions of that wire are not in the message. */
function isLater(message: Frame): boolean {
  if (message.type === 'hello') return message.version > wireVersion
  return message.type === 'welcome' && (message.understands?.wire ?? 0) > wireVersion
}

/** Types that are read strictly, from any side. */
const closedTypes = ['rosterSync', 'awareness', 'queryAwareness', 'ownProfile']

describe('[S1] what a side of a later wire adds', () => {
  test('is passed over at the end of its hello and welcome, by which its wire is known', () => {
    const hello = { type: 'hello', version: 9, oldest: 2, cursor: Uint8Array.of(1) }
    expect(decodeFrame(bytesOf('64 09 01 01 00 00 02 00 00 07 68'))).toStrictEqual(hello)
    const welcome = bytesOf('65 04 01 09 80808004 808004 10 40 8002 808001 a08d06 09 00 00 07 68')
    for (const read of [decodeFrame(welcome), decodeServerMessage(welcome)]) {
      expect(read).toMatchObject({ type: 'welcome', understands: { wire: 9, privacy: [] } })
    }
  })

  test('is passed over at the end of each message but the documents and those of y-protocols', () => {
    for (const [message, hex] of golden) {
      const longer = Uint8Array.of(...bytesOf(hex), 7, 104)
      const read = decodeNewerFrame(longer)
      if (closedTypes.includes(message.type)) expect(read.type, message.type).toBe('malformed')
      else expect(read).toStrictEqual(message)
      expect(decodeNewerFrame(bytesOf(hex))).toStrictEqual(message)
      for (let length = 1; length < bytesOf(hex).length; length++) {
        expect(decodeNewerFrame(bytesOf(hex).slice(0, length)).type).toBe('malformed')
      }
    }
  })

  test('as a message is passed over from type 200 on, and only from a side of a later wire', () => {
    const optional = Uint8Array.of(...varuint(200), 1, 2)
    expect(decodeNewerFrame(optional)).toMatchObject({ type: 'malformed', isOptional: true })
    expect(decodeServerMessage(optional, true)).toMatchObject({ type: 'malformed', isOptional: true })
    for (const read of [
      decodeFrame(optional),
      decodeServerMessage(optional),
      decodeNewerFrame(Uint8Array.of(...varuint(199), 1)),
      decodeServerMessage(Uint8Array.of(118), true),
    ]) {
      expect(read).toMatchObject({ type: 'malformed' })
      expect(read).not.toHaveProperty('isOptional')
    }
  })

  test('as an error code is read as upgrade-required', () => {
    for (const hex of ['69 00 04 6e6f6e65', '73 04 6e6f6e65 00 00 00', '71 01 31 03 04 6e6f6e65 14']) {
      expect(decodeFrame(bytesOf(hex)).type).toBe('malformed')
      expect(JSON.stringify(decodeNewerFrame(bytesOf(hex)))).toContain('"code":"upgrade-required"')
    }
  })

  test.each([
    [{ version: 2, oldest: 1 }, { version: 2, oldest: 1 }, 'fits'],
    [{ version: 2, oldest: 2 }, { version: 3, oldest: 2 }, 'fits'],
    [{ version: 2, oldest: 1 }, { version: 4, oldest: 3 }, 'too-old'],
    [{ version: 4, oldest: 3 }, { version: 2, oldest: 1 }, 'too-new'],
    [{ version: 1, oldest: 1 }, undefined, 'fits'],
    [{ version: 9, oldest: 9 }, undefined, 'too-new'],
  ] as const)('a device of wire %j and a server of wire %j: %s', (device, server, fit) => {
    expect(fitOf(device, server)).toBe(fit)
  })
})

describe('encoding and decoding are inverse', () => {
  test('any message is decoded to what was encoded', () => {
    holds(
      fc.property(anyFrame(), message => {
        const frame = encodeFrame(message)
        expect(shape(decodeFrame(frame))).toStrictEqual(shape(message))
        expect(isYProtocols(frame)).toBe(['rosterSync', 'awareness', 'queryAwareness'].includes(message.type))
      }),
      2_000,
    )
  })

  test('field names are ordered by UTF-16 code units, above and below the surrogates', () => {
    // In code points, U+FF5E sorts before U+1F600; in UTF-16, after it (D83D DE00).
    const names = ['~', '\u{1F600}', '\u{10FFFF}', '\uFF5E', '\uFFFF']
    const shuffled = ['\uFFFF', '\u{1F600}', '~', '\uFF5E', '\u{10FFFF}']
    const bytes = encodeFields(Object.fromEntries(shuffled.map(name => [name, true])))
    const expected = names.map(name => {
      const utf8 = new TextEncoder().encode(name)
      return `${toHex(Uint8Array.of(utf8.length))}${toHex(utf8)}02`
    })
    expect(toHex(bytes)).toBe(`05${expected.join('')}`)
    expect(Object.keys(decodeFields(bytes))).toEqual(names)
  })

  test('field names that are numbers, or names of JavaScript properties, are normal names', () => {
    const odd = fieldsOf([
      ['10', 1],
      ['9', 2],
      ['__proto__', 'polluted'],
      ['constructor', Uint8Array.of(1)],
      ['', -0],
    ])
    const back = decodeFields(encodeFields(odd))
    expect(Object.entries(back).sort()).toStrictEqual(Object.entries(odd).sort())
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('all bit patterns of NaN have the same bytes in fields', () => {
    const odd = bytesOf('01 01 61 01 fff4000000000001')
    expect(toHex(encodeFields(decodeFields(odd)))).toBe(toHex(bytesOf('01 01 61 01 7ff8000000000000')))
  })

  test('fields are split into the bytes of each, in their order', () => {
    holds(
      fc.property(fc.uniqueArray(fieldEntry(), { selector: ([name]) => name, maxLength: 8 }), entries => {
        const whole = encodeFields(fieldsOf(entries))
        const split = splitFields(whole)
        expect([...split.keys()]).toEqual(entries.map(([name]) => name).sort())
        expect(toHex(Buffer.concat([varuint(split.size), ...split.values()]))).toBe(toHex(whole))
      }),
    )
  })

  test('the bytes of fields do not depend on the order in which they were set', () => {
    holds(
      fc.property(fc.uniqueArray(fieldEntry(), { selector: ([name]) => name, maxLength: 8 }), entries => {
        const there = encodeFields(fieldsOf(entries))
        expect(toHex(encodeFields(fieldsOf([...entries].reverse())))).toBe(toHex(there))
      }),
    )
  })

  test('a profile frame of fields that are encoded already has the bytes of the message', () => {
    const message = { owner: 'bob', level: 2, cursor: Uint8Array.of(7) }
    expect(toHex(encodeProfileFrame(message, encodeFields(fields)))).toBe(
      toHex(encodeFrame({ type: 'profile', ...message, fields })),
    )
  })

  test('decodeFields throws for anything but the bytes of encodeFields', () => {
    const bytes = encodeFields(fields)
    expect(decodeFields(bytes)).toStrictEqual(fields)
    for (let length = 0; length < bytes.length; length++) expect(() => decodeFields(bytes.slice(0, length))).toThrow()
    expect(() => decodeFields(Uint8Array.of(...bytes, 0))).toThrow()
    expect(() => decodeFields(varuint(2 ** 50))).toThrow()
  })

  test.each([[Number.POSITIVE_INFINITY], [Number.NaN], [-1], [2 ** 53]])(
    'a number that no varint can carry, %d, is a TypeError, not an endless loop',
    number => {
      expect(() => encodeFrame({ type: 'barrier', id: number, withFeed: true })).toThrow(TypeError)
    },
  )

  test('an infinite retry time is sent as 0, and a fraction as the next millisecond', () => {
    const failure = { type: 'failure', code: 'discovery-limit', count: 0, addresses: [] } as const
    const sent = (retryAfterMs: number): unknown => decodeFrame(encodeFrame({ ...failure, retryAfterMs }))
    expect(sent(Number.POSITIVE_INFINITY)).toEqual({ ...failure, retryAfterMs: 0 })
    expect(sent(1000.2)).toEqual({ ...failure, retryAfterMs: 1001 })
  })
})

describe("y-protocols' own messages", () => {
  test('the heartbeat is an awareness message of no clients, which any provider takes', () => {
    const decoder = decoding.createDecoder(encodeFrame({ type: 'awareness' }))
    expect(decoding.readVarUint(decoder)).toBe(1)
    const update = decoding.readVarUint8Array(decoder)
    expect(decoding.hasContent(decoder)).toBe(false)
    expect(awarenessProtocol.modifyAwarenessUpdate(update, state => state)).toEqual(update)
  })

  test('awareness of a stock provider is read and dropped', () => {
    expect(decodeFrame(bytesOf('01 04 01 07 01 00'))).toEqual({ type: 'awareness' })
  })

  test("[S3] only message types 0 to 3 have the roster's limit", () => {
    const first = (byte: number): boolean => isYProtocols(Uint8Array.of(byte, 0, 0))
    expect([0, 1, 2, 3].every(first)).toBe(true)
    expect(Array.from({ length: 252 }, (_, index) => index + 4).some(first)).toBe(false)
    expect(isYProtocols(new Uint8Array())).toBe(false)
  })
})

function anyFrame(): fc.Arbitrary<Frame> {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  const id = fc.string({ unit: 'binary-ascii', maxLength: 64 })
  const user = fc
    .oneof(text, fc.constantFrom('__proto__', '+18005550001', 'ada@example.org', 'a/b', '日本語'))
    .map(each => each.normalize('NFC').trim())
    .filter(isUserId)
  const uint = fc.oneof(fc.nat(), fc.maxSafeNat())
  const cursor = fc.uint8Array({ maxLength: 64 })
  const payload = fc.uint8Array({ maxLength: 300 })
  const step = fc.constantFrom('step1' as const, 'step2' as const, 'update' as const)
  const code = fc.constantFrom('malformed' as const, 'unavailable' as const, 'discovery-limit' as const)
  const incarnation = fc.uint8Array({ minLength: 1, maxLength: 64 })
  const level = fc.nat(255)
  const levels = fc.uniqueArray(level, { maxLength: 256, size: 'max' }).map(all => all.sort((a, b) => a - b))
  const someFields = fc.uniqueArray(fieldEntry(), { selector: ([name]) => name, maxLength: 12 }).map(fieldsOf)
  const limits = record({
    rosterBytes: uint,
    profileBytes: uint,
    profileLevels: uint,
    fieldNameBytes: uint,
    labelBytes: uint,
    messageBytes: uint,
    relations: uint,
  })
  const of = <T extends Frame['type']>(type: T): fc.Arbitrary<T> => fc.constant(type)
  return fc.oneof(
    record({ type: of('rosterSync'), step, payload }),
    record({ type: of('awareness') }),
    record({ type: of('queryAwareness') }),
    record({ type: of('hello'), version: fc.constant(1), cursor }),
    record({ type: of('hello'), version: fc.constant(1), cursor, incarnation }),
    record({ type: of('welcome'), isFresh: fc.boolean(), isErased: fc.boolean(), incarnation, limits }),
    record({ type: of('ownProfile'), step, payload }),
    record({ type: of('barrier'), id: uint, withFeed: fc.boolean() }),
    record({ type: of('reached'), id: uint, isComplete: fc.boolean() }),
    record({ type: of('refused'), document: fc.constantFrom('roster' as const, 'profile' as const), code }),
    record({ type: of('fetch'), owner: user }),
    record({
      type: of('access'),
      owner: user,
      levels,
      isWaiting: fc.boolean(),
      hasJustJoined: fc.boolean(),
      isFetched: fc.boolean(),
      cursor,
    }),
    record({
      type: of('access'),
      owner: user,
      levels,
      isWaiting: fc.boolean(),
      hasJustJoined: fc.boolean(),
      isFetched: fc.boolean(),
      changedHands: fc.stringMatching(/^[A-Za-z0-9_-]{8,16}$/),
      cursor,
    }),
    record({ type: of('profile'), owner: user, level, fields: someFields, cursor }),
    record({
      ...{ type: of('difference'), owner: user, level, cursor, fields: someFields },
      removed: fc.uniqueArray(text, { maxLength: 5 }).map(names => names.map(name => `-${name}`).sort()),
      digest: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    }),
    record({ type: of('caughtUp'), cursor }),
    record({ type: of('sendMessage'), id, to: user, text: text.map(some => `${some}!`) }),
    record({ type: of('message'), id, from: user, text }),
    record({ type: of('received'), id, from: user }),
    record({ type: of('outcome'), id, state: fc.constantFrom('delivered', 'undelivered', 'unconfirmed') }),
    record({ type: of('renew'), token: text }),
    record({
      type: of('deflatedRoster'),
      step: fc.constantFrom('step2' as const, 'update' as const),
      size: fc.integer({ min: 301, max: maxInflatedBytes }),
      payload,
    }),
    record({
      type: of('failure'),
      code,
      retryAfterMs: uint,
      count: uint,
      addresses: fc.array(user, { maxLength: maxFailureAddresses }),
    }),
  )
}

function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true })
}

function fieldEntry(): fc.Arbitrary<[string, FieldValue]> {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('name', '10', '9', 'constructor', '\u{1F600}', '\uFF5E'),
  )
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.uint8Array({ maxLength: 30 }),
  )
  return fc.tuple(name, value)
}

/** Built from entries, so that `__proto__` is also a valid name. */
function fieldsOf(entries: readonly [string, FieldValue][]): Fields {
  return Object.fromEntries(entries)
}

/** A message's content as lists: `toStrictEqual` confuses a field named `constructor` with the object's own. */
function shape(value: unknown): unknown {
  if (value instanceof Uint8Array) return ['bytes', ...value]
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, each]) => [key, shape(each)])
}

function everyBytes(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(everyBytes) : []
}

function holdsNaN(message: Frame): boolean {
  const isLevel = message.type === 'profile' || message.type === 'difference'
  return isLevel && Object.values(message.fields).some(Number.isNaN)
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'))
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** LEB128, implemented independently of lib0. */
function varuint(value: number): Uint8Array {
  const bytes: number[] = []
  let left = BigInt(value)
  for (; left >= 128n; left >>= 7n) bytes.push(Number(left & 127n) | 128)
  return Uint8Array.from([...bytes, Number(left)])
}

test('the id of a message has up to 64 bytes in each frame that carries one, and a longer one is malformed', () => {
  const framesWith = (id: string): Frame[] => [
    { type: 'sendMessage', id, to: 'bob', text: 'hello' },
    { type: 'message', id, from: 'bob', text: 'hello' },
    { type: 'received', id, from: 'bob' },
    { type: 'outcome', id, state: 'delivered' },
  ]
  for (const frame of framesWith('x'.repeat(64))) expect(decodeFrame(encodeFrame(frame))).toEqual(frame)
  for (const frame of framesWith('x'.repeat(65))) expect(decodeFrame(encodeFrame(frame)).type).toBe('malformed')
})
