import fc from 'fast-check'
import { expect, test } from 'vitest'
import { holdsAsync } from '../support/properties.ts'
import { play } from './histories/run.ts'
import { type History, histories, type Step } from './histories/steps.ts'
import { storyOf } from './histories/story.ts'

const runs = Number(process.env['KITH_TEST_RUNS'] ?? 25)

/** Histories in which one device has two tabs, and one of these tabs freezes again and again. */
const standstills = histories.map(history => {
  const steps = history.steps.flatMap((step, index): Step[] => {
    const [open, freeze, thaw] = [
      { do: 'openTab' as const, device: 0 },
      { do: 'freeze' as const, device: 0 },
      { do: 'thaw' as const, device: 0 },
    ]
    if (index % 4 === 0) return [open, freeze, step]
    if (index % 4 === 1) return [step, { do: 'pass', seconds: index % 3 === 0 ? 8 : 20, flows: true }]
    return index % 4 === 2 ? [thaw, step] : [step]
  })
  return { ...history, hasTabs: true, steps }
})

test('[R1][V4][V5][V6][V7][D1][D2][F1] all rules hold in any history in which one of two tabs stands still repeatedly', async () => {
  let [last, wrong]: [History | undefined, string[]] = [undefined, []]
  const property = fc.asyncProperty(standstills, async history => {
    const found = await play(history)
    if (found.length > 0) [last, wrong] = [history, found]
    expect(found).toEqual([])
  })
  try {
    await holdsAsync(property, runs)
  } catch (error) {
    if (last) console.error(`The smallest history found, as a test:\n\n${storyOf(last, wrong)}\n`)
    throw error
  }
}, 3_600_000)
