import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { expect } from 'vitest'
import { holdsAsync } from '../../support/properties.ts'
import { play } from './run.ts'
import type { History } from './steps.ts'
import { storyOf } from './story.ts'

/** Plays a history that once failed, and expects no violation. */
export async function expectRight(history: History): Promise<void> {
  expect(await play(history)).toEqual([])
}

/** Far longer than any history takes, also on a busy machine. */
const mostSeconds = 120

/** Plays `runs` histories. Prints the smallest failure found. A history that never ends is printed unshrunk. */
export async function expectNoneWrong(histories: fc.Arbitrary<History>, runs: number): Promise<void> {
  let [last, wrong]: [History | undefined, string[]] = [undefined, []]
  let isStuck = false
  const property = fc.asyncProperty(histories, async history => {
    if (isStuck) return
    const found = (await orLate(play(history))) ?? ['the history never ends']
    isStuck = found[0] === 'the history never ends'
    if (found.length > 0) [last, wrong] = [history, found]
    expect(found).toEqual([])
  })
  try {
    await holdsAsync(property, runs)
  } catch (error) {
    if (last) console.error(`The smallest history found, as a test:\n\n${storyOf(last, wrong)}\n`)
    throw error
  }
}

/**
 * Resolves to the result of the work, or to `undefined` if it takes too long: then it waits for something that never happens.
 */
async function orLate<T>(work: Promise<T>): Promise<T | undefined> {
  let isDone = false
  const late = async (): Promise<undefined> => {
    // Counts single seconds. Otherwise the time in which this process was stopped would count.
    for (let second = 0; second < mostSeconds && !isDone; second++) await setTimeout(1_000, undefined, { ref: false })
  }
  try {
    return await Promise.race([work, late()])
  } finally {
    isDone = true
  }
}
