import { applyChanges, profileKey, profileRoot } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { sizeError } from '../../packages/server/src/admission/size-limits.ts'
import { StoredDocument } from '../../packages/server/src/store/stored-document.ts'
import { limitsWith } from '../support/store-world.ts'

test('[S3] of a profile that is beyond lower limits, levels may shrink, and others change', () => {
  const device = new Y.Doc()
  const set = (level: number, value: string): Uint8Array => {
    const before = Y.encodeStateVector(device)
    applyChanges(device, [{ root: profileRoot, key: profileKey(level, 'writer-12', 'bio'), value }])
    return Y.encodeStateAsUpdate(device, before)
  }
  const document = new StoredDocument('profile', [])
  const limits = limitsWith({ profileBytes: 100 })
  const take = (update: Uint8Array): string | undefined => {
    const error = sizeError('profile', document, update, 'content', limits)
    if (!error) document.apply(apply => apply(update))
    return error
  }
  document.apply(apply => apply(set(1, 'x'.repeat(1_000))))
  expect(take(set(1, 'x'.repeat(500)))).toBe(undefined)
  expect(take(set(2, 'small'))).toBe(undefined)
  expect(take(set(2, 'x'.repeat(101)))).toBe('profile-too-large')
})

test('[D6][S3] a full roster takes another label in place of one as long', () => {
  const device = new Y.Doc()
  const update = (key: string, value: string | undefined): Uint8Array => {
    const before = Y.encodeStateVector(device)
    applyChanges(device, [{ root: 'labels', key, value }])
    return Y.encodeStateAsUpdate(device, before)
  }
  const document = new StoredDocument('roster', [])
  const limits = limitsWith({ rosterBytes: 1000 })
  const take = (bytes: Uint8Array, adds: 'content' | 'history' = 'content'): string | undefined => {
    const error = sizeError('roster', document, bytes, adds, limits)
    if (!error) document.apply(apply => apply(bytes))
    return error
  }
  expect(take(update('bob', 'x'.repeat(900)))).toBe(undefined)
  expect(take(update('bob', 'y'.repeat(900)))).toBe(undefined)
  expect(take(update('bob', 'z'.repeat(990)))).toBe('roster-too-large')
})
