import { test } from 'vitest'
import { expectNoneWrong } from './histories/expect-right.ts'
import { histories } from './histories/steps.ts'

const runs = Number(process.env['KITH_TEST_RUNS'] ?? 500)

/**
 * After every delivery: no socket received data that the model denied at that moment, and no acknowledged barrier is untrue.
 * After every `caughtUp`: the device holds all that is due to it, and nothing that the model denies at that cursor. At the end:
 * all devices of a user are equal, and `check` finds nothing. See `world/`, and the model in `model/`.
 */
test('[R1][R2][R3][R4][R5][R6][V1][V2][V3][V4][V5][V6][V7][V8][D1][D2][D3][D4][D6][D7][F1][F2][F3][F4] all rules hold in any history of devices, faults and calls of the backend', async () => {
  await expectNoneWrong(histories, runs)
}, 3_600_000)
