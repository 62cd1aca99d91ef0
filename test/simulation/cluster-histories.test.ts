import { describe, test } from 'vitest'
import { aheadHistories } from './histories/ahead-steps.ts'
import { clusterHistories } from './histories/cluster-steps.ts'
import { expectNoneWrong } from './histories/expect-right.ts'

/** `KITH_TEST_NODES=3` plays histories only on that number of nodes. */
const counts = process.env['KITH_TEST_NODES'] ? [Number(process.env['KITH_TEST_NODES'])] : [2, 3]
const runs = Number(process.env['KITH_TEST_RUNS'] ?? 500 / counts.length)

/**
 * As `histories.test.ts`, on several nodes with one database. Devices move between the nodes. Data that a node hands over is
 * judged by the state that this node last received [V4].
 */
describe.each(counts)('on %i nodes', nodes => {
  test('[R1][R2][R3][R4][R5][R6][V1][V2][V3][V4][V5][V6][V7][V8][D1][D2][D3][D4][D6][D7][F1][F2][F3][F4] all rules hold in any history of devices that move between nodes, of nodes that are late, stop and come back, and of batches whose answer is lost', async () => {
    await expectNoneWrong(clusterHistories(nodes), runs)
  }, 3_600_000)

  test('[R1][V1][V2][V3][V4][V5][V6][V7][D4][D7][F1] all rules hold while a viewer follows and an owner edits at the same time, and nodes read ahead of what they were told', async () => {
    await expectNoneWrong(aheadHistories(nodes), Math.ceil(runs / 3))
  }, 3_600_000)
})
