import { type KeyChange, mostRetired, nextFounder, retiredKey, retiredRoot } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { hadBy, LostGeneration, OwnDocument } from '../support/client-internals.ts'

const device = 2 ** 27
const entries = [
  ['contacts', 'bob'],
  ['blocks', 'eve/nonce000'],
] as const

/** A roster as the device has it, whose entries were written by these clients. */
function roster(write: (doc: Y.Doc) => void): OwnDocument {
  const doc = new Y.Doc()
  write(doc)
  const own = new OwnDocument('roster', device + 1)
  own.takeAll(Y.encodeStateAsUpdate(doc))
  return own
}

interface Founding {
  before?: number
  isFull?: boolean
  also?: (doc: Y.Doc) => void
}

/** A roster that was refounded, with these of the entries. */
function refounded(
  low: number,
  kept: readonly (readonly [string, string])[],
  { before = 0, isFull = false, also }: Founding = {},
): OwnDocument {
  return roster(doc => {
    doc.clientID = nextFounder(before, low)
    for (const [root, key] of kept) doc.getMap(root).set(key, true)
    const clients = isFull ? Array.from({ length: mostRetired }, (_, index) => device + 2 + index) : [device]
    for (const client of clients) doc.getMap(retiredRoot).set(retiredKey(client), entries.length)
    also?.(doc)
  })
}

/** What the device changes in a roster of a server that has lost the device's generation. */
function corrections(own: OwnDocument, server: OwnDocument): KeyChange[] | undefined {
  return LostGeneration.of(own, server, hadBy(server.doc))?.corrections()
}

test('[R1][R4] an entry that a rival generation lacks counts as removed, but a block does not', () => {
  const own = refounded(1, entries)
  const rival = refounded(2, [])
  const lost = LostGeneration.of(own, rival, hadBy(rival.doc))
  expect(lost?.corrections()).toEqual([{ root: 'contacts', key: 'bob', value: undefined }])
  const copy = { client: nextFounder(0, 1), clock: 1 }
  expect([lost?.isOutdatedCopy('contacts', 'bob', copy), lost?.isOutdatedCopy('blocks', 'eve/nonce000', copy)]).toEqual(
    [true, false],
  )
})

test('[D6][R1] an entry that an earlier backup lacks stays, and one that was removed since the backup is removed again', () => {
  const own = refounded(1, entries)
  const backup = roster(doc => {
    doc.clientID = device
    doc.getMap('contacts').set('carol', true)
  })
  expect(LostGeneration.of(own, backup, hadBy(backup.doc))?.corrections()).toEqual([
    { root: 'contacts', key: 'carol', value: undefined },
  ])
})

test('a server that has the founder of this device has lost no generation', () => {
  const own = refounded(1, entries)
  expect(LostGeneration.of(own, own, hadBy(own.doc))).toBeUndefined()
})

test('[D6] a founder that a later generation with a full list has forgotten is not lost, and nothing new is removed', () => {
  const own = refounded(1, entries, { isFull: true })
  const later = refounded(2, [['contacts', 'new']], { before: nextFounder(0, 1), isFull: true })
  expect(corrections(own, later)).toBeUndefined()
})

test('[D6] an entry of a client that a full list does not name is not removed', () => {
  const own = refounded(1, entries, { isFull: true })
  const backup = roster(doc => {
    doc.clientID = device
    doc.getMap('contacts').set('zoe', true)
  })
  expect(corrections(own, backup)).toEqual([])
})

test('[D6][R4] an entry that the server had removed before the founder copied it again stays, but a grant does not', () => {
  const own = refounded(1, [...entries, ['grants', '1/bob']])
  const backup = roster(doc => {
    doc.clientID = device
    doc.getMap('contacts').set('bob', true)
    doc.getMap('contacts').delete('bob')
    doc.getMap('grants').set('1/bob', true)
    doc.getMap('grants').delete('1/bob')
  })
  // The server lacks what the device wrote afterwards.
  const wider = refounded(1, [...entries, ['grants', '1/bob']], {
    also: doc => doc.getMap(retiredRoot).set(retiredKey(device), 9),
  })
  expect(corrections(wider, backup)).toEqual([{ root: 'grants', key: '1/bob', value: undefined }])
  expect(corrections(own, backup), 'the server had everything').toContainEqual({
    ...{ root: 'contacts', key: 'bob' },
    value: undefined,
  })
})

test('[R6] a value that was set on the server stays, though the lost generation had removed the value before it', () => {
  const own = refounded(1, entries, { also: doc => doc.getMap('contacts').delete('bob') })
  const server = roster(doc => {
    doc.clientID = device
    doc.getMap('labels').set('bob', 'first')
    doc.getMap('labels').set('bob', 'second')
    doc.getMap('contacts').set('bob', true)
  })
  expect(corrections(own, server)).toContainEqual({ root: 'contacts', key: 'bob', value: true })
})

test('[D6] a founder without a list of clients is no proof that the server had what it copied', () => {
  const own = roster(doc => {
    doc.clientID = nextFounder(0, 1)
    doc.getMap('contacts').set('bob', true)
  })
  const empty = roster(doc => {
    doc.clientID = device
    doc.getMap('contacts').set('carol', true)
  })
  expect(corrections(own, empty)).toEqual([])
})

test('[R6] a label that a device set upon a rival that knew less stays, and a label that the rival copied does not', () => {
  const own = refounded(1, entries, { also: doc => void doc.getMap('labels').set('bob', 'Bob') })
  const labelled = (later?: string): OwnDocument =>
    refounded(2, entries, {
      also: doc => {
        doc.getMap('labels').set('bob', 'Rob')
        doc.clientID = device + 9
        if (later !== undefined) doc.getMap('labels').set('bob', later)
      },
    })
  // Of several changes of one key, the last one stays.
  const labelAfter = (server: OwnDocument): unknown =>
    corrections(own, server)
      ?.filter(({ root }) => root === 'labels')
      .at(-1)?.value
  expect([labelled(), labelled('Robert')].map(labelAfter)).toEqual(['Bob', 'Robert'])
})
