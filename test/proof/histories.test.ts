import fc from 'fast-check'
import { expect, test } from 'vitest'
import { play } from '../support/history/run.ts'
import { histories } from '../support/history/steps.ts'

const runs = Number(process.env['KITH_TEST_RUNS'] ?? 500)
const seed = Number(process.env['KITH_TEST_SEED'] ?? Date.now() % 2 ** 31)

test('in any history of devices, faults and the backend', async () => {
  console.info(`property seed ${seed}`)
  await fc.assert(
    fc.asyncProperty(histories, async history => {
      expect(await play(history)).toEqual([])
    }),
    { seed, numRuns: runs, interruptAfterTimeLimit: Number(process.env['KITH_TEST_MS'] ?? 3_600_000) },
  )
}, 86_400_000)
