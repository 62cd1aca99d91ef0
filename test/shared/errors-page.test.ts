import { readFileSync } from 'node:fs'
import { isErrorCode, KithError } from '@kith/shared'
import { expect, test, vi } from 'vitest'
import { installation } from '../support/devices.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('docs/ERRORS.md explains each error code once, and no other code', () => {
  const source = read('packages/shared/src/errors.ts')
  const codes = [...source.matchAll(/^ {2}'([a-z-]+)',/gm)].map(([, code]) => code as string)
  const rows = [...read('docs/ERRORS.md').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code as string)
  expect(codes.length).toBeGreaterThan(20)
  expect(codes.every(isErrorCode)).toBe(true)
  expect(rows.sort()).toEqual(codes.sort())
})

test('docs/ERRORS.md says of each code what happened, what to do, and whether waiting helps', () => {
  const rows = [...read('docs/ERRORS.md').matchAll(/^\| `([a-z-]+)` \| (.+) \| (.+) \| (.+) \|$/gm)]
  const codes = [...read('docs/ERRORS.md').matchAll(/^\| `([a-z-]+)` \|/gm)]
  expect(rows.map(([, code]) => code)).toEqual(codes.map(([, code]) => code))
  for (const [, code, happened = '', todo = '', waiting = ''] of rows) {
    expect([code, happened.length > 10, todo.length > 10 || todo === 'Nothing.']).toEqual([code, true, true])
    expect(waiting).toMatch(/^(Yes|No|Not needed|Perhaps)\b/)
  }
})

test('the example of docs/ERRORS.md handles a label that is too long, and other errors', async () => {
  const [, code = ''] = /```ts\n(.+?)```/s.exec(read('docs/ERRORS.md')) ?? []
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor
  const run = new AsyncFunction('kith', 'KithError', 'show', 'log', code.replace(/^import .*$/gm, ''))
  const kith = await installation('alice').open()
  const [show, log, on] = [vi.fn(), vi.fn(), vi.spyOn(kith, 'on')]
  await run(kith, KithError, show, log)
  expect(show.mock.calls).toEqual([['That name is too long.']])
  const heard = on.mock.calls[0]?.[1] as (error: KithError) => void
  heard(new KithError('upgrade-required', 'The app is too old.'))
  expect(show).toHaveBeenLastCalledWith('The app is too old. Newest version: https://example.org/app')
  heard(new KithError('unavailable', 'The server does not answer', { retryAfterMs: 5 }))
  expect(log.mock.calls).toEqual([['unavailable', 'The server does not answer', 5, undefined]])
})
