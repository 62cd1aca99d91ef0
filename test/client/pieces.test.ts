import { ContactSynchronizer } from '@kith/client'
import { decodeFrame } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { backend } from '../support/backend.ts'
import { coreOf, inPieces, piecesOf, removalsBut } from '../support/client-internals.ts'

const book = (count: number): string[] => Array.from({ length: count }, (_, index) => `contact-${index}`)

/** Sockets that record the types of the frames that a device sends. */
function noting(types: string[]): typeof WebSocket {
  return class extends WebSocket {
    override send(data: Uint8Array): void {
      types.push(decodeFrame(new Uint8Array(data)).type)
      super.send(data)
    }
  }
}

test('[D6] the pieces of one large change go to the server without a wait for each', async () => {
  const { device } = await backend()
  const types: string[] = []
  const alice = await device('alice', { WebSocket: noting(types) as never })
  await alice.whenSynced()
  const syncer = new ContactSynchronizer(alice)
  syncer.setProfileAccessLevels([1, 2, 3])
  types.length = 0
  await syncer.sync(book(5_000))
  await alice.whenSynced()
  const updates = types.filter(type => type === 'rosterSync' || type === 'deflatedRoster').length
  expect(updates).toBeGreaterThanOrEqual(5)
  // One barrier for all pieces but the last, one for the last, and one for `whenSynced`.
  expect(types.filter(type => type === 'barrier').length).toBeLessThanOrEqual(3)
  const other = await device('alice')
  await other.whenSynced()
  expect(other.getProfile('contact-4999').accessLevels).toEqual([1, 2, 3])
}, 60_000)

test('[D6] of a large change that exceeds the server’s room, the pieces that fit arrive, and the rest stays and is reported', async () => {
  const { device } = await backend({ relations: 1_500 })
  // Before the device knows the limit.
  const alice = await device('alice', { connect: false })
  const codes: string[] = []
  alice.on('error', error => codes.push(error.code))
  const syncer = new ContactSynchronizer(alice)
  syncer.setProfileAccessLevels([1, 2, 3])
  await syncer.sync(book(5_000))
  alice.connect()
  await alice.whenSynced().catch(() => undefined)
  await alice.whenSynced().catch(() => undefined)
  expect([alice.status, alice.unsent > 0, [...new Set(codes)]]).toEqual(['syncing', true, ['too-many-relations']])
  expect(alice.getProfile('contact-4999').accessLevels).toEqual([1, 2, 3])
  const other = await device('alice')
  await other.whenSynced()
  const [...contacts] = coreOf(other).store.documents.roster.view.entries('contacts')
  expect(contacts.length).toBe(1_500)
}, 60_000)

test('[D3] a removal arrives whose set has gone ahead of it, when all together is too large for one frame', async () => {
  const { device } = await backend()
  const alice = await device('alice', { connect: false })
  for (let level = 0; level < 6; level++) await alice.ownProfile.set('bio', 'x'.repeat(60_000), { level })
  // A change of the other document comes between them: the sets are sent as changes, and the removal in the answer.
  await alice.getProfile('bob').setLabel('Bob').save()
  await alice.ownProfile.unset('bio', { level: 3 })
  alice.connect()
  await alice.whenSynced()
  const other = await device('alice')
  await other.whenSynced()
  for (const kith of [alice, other]) {
    expect([2, 3, 4].map(level => kith.ownProfile.get('bio', { level }) !== undefined)).toEqual([true, false, true])
  }
})

test('[D3] pieces remove what a document holds with its content', () => {
  const doc = new Y.Doc()
  for (let index = 0; index < 50; index++) doc.getMap('labels').set(`user-${index}`, 'x'.repeat(100))
  const other = new Y.Doc()
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  for (let index = 10; index < 20; index++) doc.getMap('labels').delete(`user-${index}`)
  const pieces = inPieces(Y.encodeStateAsUpdate(doc), 1_000, doc)
  expect(pieces.length).toBeGreaterThan(3)
  for (const piece of pieces) Y.applyUpdate(other, piece)
  expect(other.getMap('labels').toJSON()).toEqual(doc.getMap('labels').toJSON())
})

test('[V6] removals that let others see more go last, also those of what the same update brings', () => {
  const doc = new Y.Doc()
  doc.getMap('blocks').set('bob', true)
  doc.getMap('grants').set('1/bob', true)
  const server = new Y.Doc()
  Y.applyUpdate(server, Y.encodeStateAsUpdate(doc))
  doc.getMap('blocks').delete('bob')
  for (let index = 0; index < 50; index++) doc.getMap('labels').set(`user-${index}`, 'x'.repeat(100))
  doc.getMap('grants').delete('1/bob')
  const shows: boolean[] = []
  server.on('update', () => shows.push(server.getMap('grants').has('1/bob') && !server.getMap('blocks').has('bob')))
  const { removals, content, widening } = piecesOf(Y.encodeStateAsUpdate(doc), 1_000, doc, [])
  expect([content.length > 3, widening.length]).toEqual([true, 1])
  for (const piece of [...removals, ...content, ...widening]) Y.applyUpdate(server, piece)
  expect(shows).not.toContain(true)
  expect(server.getMap('labels').size).toBe(50)
  expect([server.getMap('blocks').size, server.getMap('grants').size]).toEqual([0, 0])
})

test('[D6] no piece is without content, and a struct that is larger than a piece goes alone', () => {
  const device = new Y.Doc()
  const label = (key: string, length: number): void => void device.getMap('labels').set(key, 'x'.repeat(length))
  label('a', 10)
  const there = Y.encodeStateVector(device)
  device.getMap('labels').delete('a')
  const removal = Y.encodeStateAsUpdate(device, there)
  expect(piecesOf(removal, 100, device, [])).toMatchObject({ removals: [expect.anything()], content: [] })
  const before = Y.encodeStateVector(device)
  for (const [key, length] of [
    ['b', 1_000],
    ['c', 10],
    ['d', 1_000],
  ] as const)
    label(key, length)
  const { removals, content } = piecesOf(Y.encodeStateAsUpdate(device, before), 100, device, [])
  const keysOf = (piece: Uint8Array): unknown[] =>
    Y.decodeUpdate(piece).structs.map(struct => (struct as Y.Item).parentSub)
  expect(content.map(keysOf)).toEqual([['b'], ['c'], ['d']])
  expect(removals.map(piece => Y.decodeUpdate(piece).structs)).toEqual(removals.map(() => []))
})

test.each([
  ['the end of a block', 'blocks', 'aaaaaaaa/bob'],
  ['a wider audience', 'privacy', 'nonce-0001/nobody'],
  ['a user who is no longer declined', 'declined', 'bob'],
])('[V6] of a roster in pieces, %s goes last, and what takes something away goes first', (_what, root, key) => {
  const device = new Y.Doc()
  device.getMap(root).set(key, true)
  device.getMap('grants').set('3/bob', true)
  const there = Y.encodeStateAsUpdate(device)
  const vector = Y.encodeStateVector(device)
  device.getMap(root).delete(key)
  device.getMap('grants').delete('3/bob')
  for (const name of ['bob', 'carol', 'dave']) device.getMap('labels').set(name, 'x'.repeat(60))
  const lacking = Y.encodeStateAsUpdate(device, vector)

  const copy = new Y.Doc()
  Y.applyUpdate(copy, there)
  const after = inPieces(lacking, 100, device).map(piece => {
    Y.applyUpdate(copy, piece)
    return [copy.getMap(root).has(key), copy.getMap('grants').size, copy.getMap('labels').size]
  })
  expect(after[0]).toEqual([true, 0, 0])
  expect(after.at(-2)).toEqual([true, 0, 3])
  expect(after.at(-1)).toEqual([false, 0, 3])

  const ahead = new Y.Doc()
  for (const update of [there, ...removalsBut(lacking, [], 100, device)]) Y.applyUpdate(ahead, update)
  expect([ahead.getMap(root).has(key), ahead.getMap('grants').size]).toEqual([true, 0])
})
