import { KithError } from '@kith/shared'
import { expect, test } from 'vitest'
import { ErrorReporter } from '../support/client-internals.ts'

test('a storage failure is reported once, and again only after a write succeeded', () => {
  const told: string[] = []
  const trouble = new ErrorReporter(({ code }) => told.push(code))
  const failed = new KithError('database-failed', 'no room')
  expect([trouble.tell(failed), trouble.tell(failed)]).toEqual([true, false])
  expect(trouble.tell(new KithError('unavailable', 'no server'))).toBe(true)
  expect(trouble.tell(new KithError('unavailable', 'no server'))).toBe(true)
  trouble.isOver()
  expect([trouble.tell(failed), trouble.tell(failed)]).toEqual([true, false])
  expect(told).toEqual(['database-failed', 'unavailable', 'unavailable', 'database-failed'])
})

test('after the final error no more errors are reported', () => {
  const told: string[] = []
  const trouble = new ErrorReporter(({ code }) => told.push(code))
  expect(trouble.end(new KithError('closed', 'erased'))).toBe(true)
  expect(trouble.end(new KithError('closed', 'erased'))).toBe(false)
  trouble.isOver()
  expect(trouble.tell(new KithError('database-failed', 'no room'))).toBe(false)
  expect(told).toEqual(['closed'])
})
