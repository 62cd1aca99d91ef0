import { KithError } from '@kith/shared'
import { expect, test } from 'vitest'
import { ErrorReporter } from '../support/client-internals.ts'

test('storage that fails is told once, and once more after something could be stored', () => {
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

test('after the last thing that is told nothing more is', () => {
  const told: string[] = []
  const trouble = new ErrorReporter(({ code }) => told.push(code))
  expect(trouble.end(new KithError('closed', 'erased'))).toBe(true)
  expect(trouble.end(new KithError('closed', 'erased'))).toBe(false)
  trouble.isOver()
  expect(trouble.tell(new KithError('database-failed', 'no room'))).toBe(false)
  expect(told).toEqual(['closed'])
})
