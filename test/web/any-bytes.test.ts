import { defaultLimits, profileKey } from '@kith/shared'
import { encodeFrame, type Frame } from '@kith/shared/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { holds } from '../support/properties.ts'
import { replica, teller } from './support/told-frames.ts'

/** Returns a conversation with an example of everything that is decoded further than the frame. */
function conversation(): Uint8Array[] {
  const roster = replica()
  const updates = [
    roster.edit(['contacts:bob', true], ['grants:5/bob', true], ['blocks:aaaaaaaa/eve', true]),
    roster.edit(['labels:bob', 'Bob'], ['settings:autoSync', false], ['privacy:aaaaaaaa/nobody', true]),
    roster.edit(['labels:bob', 'Bobby'], ['grants:5/bob', undefined], ['blocks:aaaaaaaa/eve', undefined]),
  ]
  const profile = replica().edit([`fields:${profileKey(2, 'aaaaaaaa', 'name')}`, 'Ada'])
  const cursor = Uint8Array.of(1)
  const flags = { isWaiting: false, hasJustJoined: true, isFetched: false }
  const messages: Frame[] = [
    { type: 'hello', version: 1, cursor, owners: ['bob'] },
    { type: 'welcome', isFresh: true, isErased: false, incarnation: Uint8Array.of(1), limits: defaultLimits },
    { type: 'rosterSync', step: 'step1', payload: Y.encodeStateVector(roster.doc) },
    ...updates.map(payload => ({ type: 'rosterSync', step: 'update', payload }) as const),
    { type: 'rosterSync', step: 'step1', payload: Uint8Array.of(0) },
    { type: 'rosterSync', step: 'step2', payload: Y.encodeStateAsUpdate(roster.doc) },
    { type: 'ownProfile', step: 'update', payload: profile },
    { type: 'access', owner: 'bob', levels: [0, 5], ...flags, cursor },
    { type: 'profile', owner: 'bob', level: 5, fields: { name: 'Bob', bytes: cursor }, cursor },
    {
      ...{ type: 'difference', owner: 'bob', level: 5, fields: { name: 'Rob' }, removed: ['bytes'], cursor },
      digest: new Uint8Array(16),
    },
    { type: 'failure', code: 'discovery-limit', retryAfterMs: 5, count: 1, addresses: ['bob'] },
  ]
  return messages.map(encodeFrame)
}

const direction = fc.constantFrom('sent' as const, 'received' as const)

test('any bytes are described in words, without an exception', () => {
  holds(
    fc.property(fc.array(fc.tuple(direction, fc.uint8Array({ maxLength: 60 })), { maxLength: 20 }), frames => {
      const told = teller()
      for (const [side, bytes] of frames) expect(told.bytes(side, bytes).text).toMatch(/^\S.{10,}/)
    }),
    500,
  )
})

test('frames with a byte changed, lost or added are described in words, and so are the frames after them', () => {
  const frames = conversation()
  const change = fc.record({ at: fc.nat(300), kind: fc.constantFrom('set', 'cut', 'insert'), byte: fc.nat(255) })
  const step = fc.tuple(direction, fc.nat(frames.length - 1), fc.array(change, { maxLength: 2 }))
  holds(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const told = teller()
      for (const [side, index, changes] of steps) {
        const bytes = [...(frames[index] as Uint8Array)]
        for (const { at, kind, byte } of changes) {
          const place = at % bytes.length
          if (kind === 'set') bytes[place] = byte
          else bytes.splice(place, kind === 'cut' ? 1 : 0, ...(kind === 'cut' ? [] : [byte]))
        }
        expect(told.bytes(side, Uint8Array.from(bytes)).text).toMatch(/^\S.{10,}/)
      }
    }),
    500,
  )
})
