import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { piecesOf, removalsBut } from '../support/client-internals.ts'
import { holds } from '../support/properties.ts'
import { entry, rawUpdate } from '../support/raw-update.ts'

const grants = (doc: Y.Doc): string[] => [...doc.getMap('grants').keys()].sort()

function device(clientId: number, ...known: Y.Doc[]): Y.Doc {
  const doc = new Y.Doc()
  doc.clientID = clientId
  for (const other of known) Y.applyUpdate(doc, Y.encodeStateAsUpdate(other))
  return doc
}

/** Makes a change, and returns its update as the outbox keeps it. */
function change(doc: Y.Doc, edit: (grants: Y.Map<unknown>) => void): Uint8Array {
  const before = Y.encodeStateVector(doc)
  let update = Y.encodeStateAsUpdate(doc, before)
  doc.once('update', (made: Uint8Array) => {
    update = made
  })
  doc.transact(() => edit(doc.getMap('grants')))
  return update
}

/** The lengths of a client's structs: Yjs merges adjacent removed entries. */
const structsOf = ({ store }: Y.Doc, client: number): number[] =>
  (store.clients.get(client) ?? []).map(({ length }) => length)

test('[R2] the deletion of an entry that lost to a concurrent, unsent entry of the same key does not go ahead of that entry', () => {
  const phone = device(1)
  change(phone, map => map.set('1/bob', true))
  const server = device(3, phone)
  const laptop = device(2)
  const unsent = change(laptop, map => map.set('1/bob', true))
  Y.applyUpdate(laptop, Y.encodeStateAsUpdate(server))
  const lacking = Y.encodeStateAsUpdate(laptop, Y.encodeStateVector(server))
  expect([...Y.decodeUpdate(lacking).ds.clients.keys()]).toEqual([1])
  for (const piece of removalsBut(lacking, [unsent], 400, laptop)) Y.applyUpdate(server, piece)
  expect(grants(server)).toEqual(['1/bob'])
})

test('[R2] the deletion of an entry does not go ahead of a concurrent, unsent entry when both replaced a third one', () => {
  const phone = device(1)
  change(phone, map => map.set('1/bob', true))
  const [tablet, laptop] = [device(2, phone), device(3, phone)]
  change(tablet, map => map.set('1/bob', true))
  const server = device(4, tablet)
  const unsent = change(laptop, map => map.set('1/bob', true))
  Y.applyUpdate(laptop, Y.encodeStateAsUpdate(server))
  const lacking = Y.encodeStateAsUpdate(laptop, Y.encodeStateVector(server))
  expect([...Y.decodeUpdate(lacking).ds.clients.keys()].sort()).toEqual([1, 2])
  for (const piece of removalsBut(lacking, [unsent], 400, laptop)) Y.applyUpdate(server, piece)
  expect(grants(server)).toEqual(['1/bob'])
})

test('[R2] the deletion of an entry does not go ahead of a concurrent, unsent entry when both replaced an entry of the same device', () => {
  const phone = device(1)
  change(phone, map => map.set('1/bob', true))
  const laptop = device(3, phone)
  change(phone, map => map.set('1/bob', true))
  const server = device(4, phone)
  const unsent = change(laptop, map => map.set('1/bob', true))
  Y.applyUpdate(laptop, Y.encodeStateAsUpdate(server))
  const lacking = Y.encodeStateAsUpdate(laptop, Y.encodeStateVector(server))
  expect(structsOf(laptop, 1)).toEqual([2])
  for (const piece of removalsBut(lacking, [unsent], 400, laptop)) Y.applyUpdate(server, piece)
  expect(grants(server)).toEqual(['1/bob'])
})

test.each([
  [0, 4, [[0, 2]]],
  [0, 2, [[0, 2]]],
  [0, 1, [[0, 1]]],
  [1, 3, [[1, 1]]],
  [2, 2, []],
  [3, 1, []],
])(
  '[V6][R2] of joined entries that an update removes (id %i, %i long) only those go ahead that the unsent entry was made after: %j',
  (clock, length, ahead) => {
    const phone = device(1)
    for (const _ of [1, 2]) change(phone, map => map.set('1/bob', true))
    const laptop = device(3, phone)
    const unsent = change(laptop, map => map.set('1/bob', true))
    // Concurrent entries, which the laptop has not removed.
    for (const _ of [1, 2]) change(phone, map => map.set('1/bob', true))
    Y.applyUpdate(laptop, Y.encodeStateAsUpdate(phone))
    expect(structsOf(laptop, 1)).toEqual([4])
    const put = entry('grants', '1/bob', true, { client: 1, clock: 1 })
    const removal = { client: 1, clock, length }
    const aheadOf = (update: Uint8Array): number[][] =>
      piecesOf(update, 400, laptop, [unsent]).removals.flatMap(piece =>
        (Y.decodeUpdate(piece).ds.clients.get(1) ?? []).map(range => [range.clock, range.len]),
      )
    expect(aheadOf(rawUpdate([{ client: 3, clock: 0, structs: [put] }], [removal]))).toEqual(ahead)
    // An update without the entry removes everything in its own list of removals.
    expect(aheadOf(rawUpdate([], [removal]))).toEqual([[clock, length]])
  },
)

test('[D6] a deletion goes ahead though the document holds only a part of what it deletes, or nothing of it', () => {
  const phone = device(1)
  change(phone, map => map.set('1/bob', true))
  const early = device(2, phone)
  for (const key of ['1/carol', '1/dave']) change(phone, map => map.set(key, true))
  const server = device(3, phone)
  const vector = Y.encodeStateVector(server)
  for (const key of ['1/bob', '1/carol']) change(phone, map => map.delete(key))
  const lacking = Y.encodeStateAsUpdate(phone, vector)
  for (const doc of [early, device(4)]) {
    const copy = device(5, server)
    for (const piece of removalsBut(lacking, [], 400, doc)) Y.applyUpdate(copy, piece)
    expect(grants(copy)).toEqual(['1/dave'])
  }
})

test('[V6] the deletion of an entry that was removed, and put again by a change that is still unsent, goes ahead', () => {
  const phone = device(1)
  change(phone, map => map.set('1/bob', true))
  const server = device(3, phone) // An older backup: it lacks the removal.
  change(phone, map => map.delete('1/bob'))
  const unsent = change(phone, map => map.set('1/bob', true))
  const lacking = Y.encodeStateAsUpdate(phone, Y.encodeStateVector(server))
  for (const piece of removalsBut(lacking, [unsent], 400, phone)) Y.applyUpdate(server, piece)
  expect(grants(server)).toEqual([])
  for (const piece of piecesOf(lacking, 400, phone, [unsent]).removals) Y.applyUpdate(server, piece)
  for (const piece of piecesOf(lacking, 400, phone, [unsent]).content) Y.applyUpdate(server, piece)
  expect(grants(server)).toEqual(['1/bob'])
})

test('[V6] the deletion of an entry that replaced another device’s, was removed, and put again unsent, goes ahead', () => {
  const tablet = device(2)
  change(tablet, map => map.set('1/bob', true))
  const phone = device(1, tablet)
  change(phone, map => map.set('1/bob', true))
  const server = device(3, phone) // An older backup: it lacks the removal.
  change(phone, map => map.delete('1/bob'))
  const unsent = change(phone, map => map.set('1/bob', true))
  const lacking = Y.encodeStateAsUpdate(phone, Y.encodeStateVector(server))
  for (const piece of removalsBut(lacking, [unsent], 400, phone)) Y.applyUpdate(server, piece)
  expect(grants(server)).toEqual([])
})

test('[R2][D6] the removals sent ahead of an update in pieces remove only keys that a device removed', () => {
  const edit = fc.record({
    at: fc.nat(2),
    key: fc.nat(5),
    isPut: fc.integer({ min: 0, max: 9 }).map(chance => chance > 0),
    meets: fc.nat(3),
  })
  holds(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 3, maxLength: 3 }),
      fc.array(edit, { minLength: 10, maxLength: 40, size: 'max' }),
      fc.constantFrom(20, 60),
      (clients, edits, maxBytes) => {
        const devices = clients.map(client => device(client))
        const server = device(5_000)
        // A key that a device removed and put again may be absent for a moment, as it was on that device.
        const removed = new Set(edits.filter(({ isPut }) => !isPut).map(({ key }) => `1/${key}`))
        for (const { at, key, isPut, meets } of edits) {
          const doc = devices[at] as Y.Doc
          change(doc, map => (isPut ? map.set(`1/${key}`, true) : map.delete(`1/${key}`)))
          if (meets === 0) Y.applyUpdate(server, Y.encodeStateAsUpdate(doc))
          if (meets === 1) Y.applyUpdate(doc, Y.encodeStateAsUpdate(server))
        }
        for (const doc of devices) {
          Y.applyUpdate(doc, Y.encodeStateAsUpdate(server))
          const lacking = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(server))
          const before = grants(server)
          const staying = before.filter(key => doc.getMap('grants').has(key) && !removed.has(key))
          const { removals, content } = piecesOf(lacking, maxBytes, doc, [])
          for (const piece of removals) Y.applyUpdate(server, piece)
          expect(staying.filter(key => !server.getMap('grants').has(key))).toEqual([])
          for (const piece of content) Y.applyUpdate(server, piece)
          expect(grants(server)).toEqual(grants(doc))
        }
      },
    ),
  )
})
