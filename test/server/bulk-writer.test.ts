import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BulkDerivation, BulkWriter, TestClock } from '@kith/server/testing'
import { defaultLimits } from '@kith/shared'
import { expect, onTestFinished, test, vi } from 'vitest'
import { compareWithDevices } from '../../bench/src/scale/compare.ts'
import { Population } from '../../bench/src/scale/population.ts'

vi.setConfig({ testTimeout: 60_000 })

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('[D4] a folder that is written in bulk has the records that devices make', async () => {
  await compareWithDevices(await temporaryFolder(), new Population(30))
})

test('[D4] a change that concerns a user of an earlier group is refused', async () => {
  const derivation = new BulkDerivation({ limits: defaultLimits, nowMs: 0 })
  const registers = (user: string): Promise<void> => derivation.commit({ type: 'user', user })
  await registers('famous')
  await registers('alice')
  await derivation.endGroup(['famous'])
  const pair = (b: string): Promise<void> => derivation.commit({ type: 'pair', a: 'bob', b, isPaired: true })
  await expect(pair('alice')).rejects.toThrow('alice is of an earlier group')
  await pair('famous')
  await expect(derivation.commit({ type: 'user', user: 'famous', restricted: true })).rejects.toThrow(
    'the relations of famous are of earlier groups',
  )
  await derivation.commit({ type: 'user', user: 'famous', announceJoin: false })
  await expect(derivation.endGroup()).rejects.toThrow('a later group changed the record of famous')
})

test('[D4] records in bulk are written to a new folder alone', async () => {
  const folder = await temporaryFolder()
  const options = { limits: defaultLimits, clock: new TestClock() }
  const writer = await BulkWriter.create(folder, options)
  await writer.close(0)
  await expect(BulkWriter.create(folder, options)).rejects.toThrow('is not empty')
})
