import { expect } from 'vitest'
import { play } from './run.ts'
import type { History } from './steps.ts'

/** Plays a history that once went wrong. */
export async function expectRight(history: History): Promise<void> {
  expect(await play(history)).toEqual([])
}
