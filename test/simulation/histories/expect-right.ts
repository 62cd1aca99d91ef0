import fc from 'fast-check'
import { expect } from 'vitest'
import { seed } from '../../support/properties.ts'
import { play } from './run.ts'
import type { History } from './steps.ts'
import { storyOf } from './story.ts'

/** Plays a history that once went wrong. */
export async function expectRight(history: History): Promise<void> {
  expect(await play(history)).toEqual([])
}

/** Plays so many histories. Of those that go wrong the smallest one that is found is printed. */
export async function expectNoneWrong(histories: fc.Arbitrary<History>, runs: number): Promise<void> {
  let [last, wrong]: [History | undefined, string[]] = [undefined, []]
  const property = fc.asyncProperty(histories, async history => {
    const found = await play(history)
    if (found.length > 0) [last, wrong] = [history, found]
    expect(found).toEqual([])
  })
  try {
    await fc.assert(property, { seed, numRuns: runs })
  } catch (error) {
    if (last) console.error(`The smallest history found, as a test:\n\n${storyOf(last, wrong)}\n`)
    throw error
  }
}
