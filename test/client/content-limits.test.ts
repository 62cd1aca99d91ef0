import { applyChanges, defaultLimits, flatMapsOf, type KeyChange, profileKey, profileRoot } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { checkLimits } from '../../packages/client/src/storage/content-limits.ts'

test('[S3][D5] of a profile that is beyond lower limits, levels may shrink, and others change', () => {
  const profile = new Y.Doc()
  const limits = { ...defaultLimits, profileBytes: 100 }
  const set = (level: number, value: string): KeyChange[] => [
    { root: profileRoot, key: profileKey(level, 'writer-12', 'bio'), value },
  ]
  const check = (changes: KeyChange[]): void => checkLimits('profile', flatMapsOf(profile), changes, limits, () => 0)
  applyChanges(profile, set(1, 'x'.repeat(1_000)))
  check(set(1, 'x'.repeat(500)))
  check(set(2, 'small'))
  expect(() => check(set(1, 'x'.repeat(1_001)))).toThrow(expect.objectContaining({ code: 'profile-too-large' }))
  expect(() => check(set(2, 'x'.repeat(101)))).toThrow(expect.objectContaining({ code: 'profile-too-large' }))
})
