import { nextFounder, retiredKey, retiredRoot } from '@kith/shared'
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

/** A roster that was refounded, with these of the entries. */
function refounded(low: number, kept: readonly (readonly [string, string])[]): OwnDocument {
  return roster(doc => {
    doc.clientID = nextFounder(0, low)
    for (const [root, key] of kept) doc.getMap(root).set(key, true)
    doc.getMap(retiredRoot).set(retiredKey(device), entries.length)
  })
}

test('[R1][R4] an entry that a rival generation lacks counts as removed, but a block does not', () => {
  const own = refounded(1, entries)
  const rival = refounded(2, [])
  const lost = LostGeneration.of(own, rival, hadBy(rival.doc))
  expect(lost?.corrections()).toEqual([{ root: 'contacts', key: 'bob', value: undefined }])
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
