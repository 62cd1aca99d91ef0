import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BulkWriter, TestClock } from '@kith/server/testing'
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
  const folder = await temporaryFolder()
  const writer = await BulkWriter.create(folder, { limits: defaultLimits, clock: new TestClock() })
  const registers = (user: string): Promise<void> =>
    writer.commit({ type: 'documents', user, registers: true, roster: undefined, profile: undefined })
  await registers('famous')
  await registers('alice')
  await writer.endGroup(['famous'])
  await expect(writer.commit({ type: 'pair', a: 'bob', b: 'alice', isPaired: true })).rejects.toThrow(
    'alice is of an earlier group',
  )
  await writer.commit({ type: 'pair', a: 'bob', b: 'famous', isPaired: true })
  await expect(writer.commit({ type: 'user', user: 'famous', restricted: true })).rejects.toThrow(
    'the relations of famous are of earlier groups',
  )
  await writer.close()
})
