import { readFileSync } from 'node:fs'
import { isErrorCode } from '@kith/shared'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('docs/ERRORS.md explains each error code once, and no other code', () => {
  const source = read('packages/shared/src/errors.ts')
  const codes = [...source.matchAll(/^ {2}'([a-z-]+)',/gm)].map(([, code]) => code as string)
  const rows = [...read('docs/ERRORS.md').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code as string)
  expect(codes.length).toBeGreaterThan(20)
  expect(codes.every(isErrorCode)).toBe(true)
  expect(rows.sort()).toEqual(codes.sort())
})
