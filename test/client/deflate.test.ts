import { createHash } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import { ContactSynchronizer } from '@kith/client'
import { defaultContentLimits, privacyNames } from '@kith/shared'
import { type ClientMessage, wireVersion } from '@kith/shared/wire'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { hostileServer } from '../support/hostile-server.ts'

/** What a device with these contacts sends to a server of this wire version that keeps nothing. */
async function sentTo(wire: number, contacts: readonly string[]): Promise<ClientMessage[]> {
  const sent: ClientMessage[] = []
  const server = hostileServer((message, say) => {
    sent.push(message)
    if (message.type !== 'hello') return false
    const incarnation = new Uint8Array(16)
    const understands = { wire, privacy: privacyNames }
    say({ type: 'welcome', isFresh: true, isErased: false, incarnation, limits: defaultContentLimits, understands })
    say({ type: 'ownProfile', step: 'step1', payload: Uint8Array.of(0) })
    say({ type: 'caughtUp', cursor: Uint8Array.of(1) })
    return true
  })
  server.protocol = 'kith.v1+'
  const alice = await server.open('alice', { indexedDB: new IDBFactory() })
  await alice.whenSynced()
  sent.length = 0
  await new ContactSynchronizer(alice).sync(contacts)
  await alice.whenSynced()
  return sent
}

const many = Array.from({ length: 1_500 }, (_, index) => `contact-${index}`)

test('[D2] a large change of the roster goes compressed, and its barrier behind it', async () => {
  const sent = await sentTo(wireVersion, many)
  expect(sent.map(({ type }) => type).slice(0, 2)).toEqual(['deflatedRoster', 'barrier'])
  const [message] = sent as [Extract<ClientMessage, { type: 'deflatedRoster' }>]
  expect(message.payload.length).toBeLessThan(message.size / 4)
  const update = inflateRawSync(message.payload)
  expect(update.length).toBe(message.size)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  expect(doc.getMap('contacts').size).toBe(many.length)
})

test('a compressed change that the platform hands out in several parts arrives as it was', async () => {
  const names = many.map(name => createHash('sha256').update(name).digest('hex'))
  const sent = await sentTo(wireVersion, names)
  const [message] = sent as [Extract<ClientMessage, { type: 'deflatedRoster' }>]
  // Node returns at most 16 KiB in one part.
  expect(message.payload.length).toBeGreaterThan(2 * 16 * 1024)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, inflateRawSync(message.payload))
  expect([...doc.getMap('contacts').keys()].sort()).toEqual([...names].sort())
})

test('a server of wire 3 gets the same change as it is', async () => {
  const sent = await sentTo(3, many)
  expect(sent.map(({ type }) => type).slice(0, 2)).toEqual(['rosterSync', 'barrier'])
})

test('a small change is never compressed', async () => {
  const sent = await sentTo(wireVersion, many.slice(0, 50))
  expect(sent.map(({ type }) => type).slice(0, 2)).toEqual(['rosterSync', 'barrier'])
})

test.each([
  ['no CompressionStream', undefined],
  [
    'none of raw DEFLATE',
    class {
      constructor() {
        throw new TypeError('Unsupported compression format')
      }
    },
  ],
])('a platform with %s sends a large change as it is', async (_, stream) => {
  vi.stubGlobal('CompressionStream', stream)
  try {
    const sent = await sentTo(wireVersion, many)
    expect(sent.map(({ type }) => type).slice(0, 2)).toEqual(['rosterSync', 'barrier'])
  } finally {
    vi.unstubAllGlobals()
  }
})
