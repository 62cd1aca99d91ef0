import type { KeyChange } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { OwnDocument, saidAgain, standingOf } from '../support/client-internals.ts'

const bob = (root: string): KeyChange => ({ root, key: keys[root] ?? 'bob', value: true })
const keys: Readonly<Record<string, string>> = { grants: '1/bob', blocks: 'nonce/bob' }

/**
 * What a device says again that wrote an entry upon a server's state without the older entry of the key, when that entry
 * comes back, removed; `madeAgain`: the device made its entry of this older one, which is the original.
 */
function saidOf(root: string, { isUnsent = false, madeAgain = false } = {}): KeyChange[] {
  // The older entry counts above the newer: its client id is larger.
  const older = new OwnDocument('roster', 2 ** 31)
  older.write([bob(root)])
  const original = { client: 2 ** 31, clock: 0 }
  older.write([{ ...bob(root), value: undefined }])
  const own = new OwnDocument('roster', 2 ** 30)
  own.write([bob(root)], madeAgain ? 7 : undefined)
  const before = standingOf(own)
  own.take(Y.encodeStateAsUpdate(older.doc))
  expect(own.standing.has(root, bob(root).key)).toBe(false)
  const { key } = bob(root)
  return saidAgain(own, {
    known: new Map([[original.client, 1]]),
    before,
    originals: madeAgain ? new Map([[`${root} ${key}`, original]]) : undefined,
    unsent: isUnsent ? [bob(root)] : [],
  })
}

test('[D6] an unsent change of any root is said again when an older entry of its key comes back removed', () => {
  for (const root of ['contacts', 'grants', 'subscriptions', 'labels', 'blocks']) {
    expect(saidOf(root, { isUnsent: true })).toEqual([bob(root)])
  }
})

test('[D6][V6] of what a server had, only what shows nothing to others is said again: another device may have removed the rest', () => {
  for (const root of ['subscriptions', 'labels', 'blocks']) expect(saidOf(root)).toEqual([bob(root)])
  for (const root of ['contacts', 'grants']) expect(saidOf(root)).toEqual([])
})

test('[D6][R4] an entry that was made again is removed by the removal of its original', () => {
  for (const root of ['contacts', 'grants', 'subscriptions', 'labels', 'blocks']) {
    expect(saidOf(root, { madeAgain: true })).toEqual([])
    expect(saidOf(root, { madeAgain: true, isUnsent: true })).toEqual([])
  }
})
