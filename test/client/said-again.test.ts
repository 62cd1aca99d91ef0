import type { KeyChange } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { OwnDocument, originalsIn, partsOfSaid, saidAgain, standingOf } from '../support/client-internals.ts'

const bob = (root: string): KeyChange => ({ root, key: keys[root] ?? 'bob', value: true })
const keys: Readonly<Record<string, string>> = { grants: '1/bob', blocks: 'nonce/bob' }

/**
 * A device wrote an entry on a server's state that lacked the older entry of the key. The older entry then comes back, removed.
 * Returns what the device repeats. `madeAgain`: the device made its entry from this older one, which is the original.
 */
function saidOf(root: string, { isUnsent = false, madeAgain = false } = {}): KeyChange[] {
  // The older entry takes precedence over the newer one, because its client id is larger.
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
  const { neverTaken, taken } = saidAgain(own, {
    known: new Map([[original.client, 1]]),
    before,
    originals: madeAgain ? new Map([[`${root} ${key}`, original]]) : undefined,
    neverTaken: isUnsent ? [bob(root)] : [],
  })
  return [...neverTaken, ...taken]
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

test('[D5][D6] an older entry under a refused value is not the original of that value', () => {
  const [merged, server] = [new OwnDocument('roster', 2 ** 30), new OwnDocument('roster', 2 ** 29)]
  merged.write([{ root: 'labels', key: 'bob', value: 'older' }])
  const original = { client: 2 ** 31, clock: 5 }
  const newer = { root: 'labels', key: 'bob', value: 'newer' }
  const earlier = new Map([['labels bob', original]])
  expect(originalsIn(merged, server, [newer], earlier).get('labels bob')).toEqual(original)
  expect(originalsIn(merged, server, []).get('labels bob')).toEqual({ client: 2 ** 30, clock: 0 })
})

test('[D6][V6] what narrows is said again ahead, and all that a server has had as made again', () => {
  const block: KeyChange = { root: 'blocks', key: 'nonce/bob', value: true }
  const grant: KeyChange = { root: 'grants', key: '1/carol', value: true }
  const unfollow: KeyChange = { root: 'subscriptions', key: 'dave', value: undefined }
  const parts = partsOfSaid({ neverTaken: [grant, block, unfollow], taken: [grant, block, unfollow] })
  expect(parts).toEqual([
    { changes: [block, unfollow], isRemade: true, isAhead: true },
    { changes: [unfollow], isRemade: false, isAhead: true },
    { changes: [grant, block], isRemade: false, isAhead: false },
    { changes: [grant], isRemade: true, isAhead: false },
  ])
  expect(partsOfSaid({ neverTaken: [], taken: [grant] })).toEqual([
    { changes: [grant], isRemade: true, isAhead: false },
  ])
})
