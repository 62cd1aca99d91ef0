import assert from 'node:assert/strict'
import { pause } from '../overload/attack.ts'
import { Bystanders } from '../overload/bystanders.ts'
import { turnsMeasured, turnsOf } from '../overload/turns.ts'
import { RawDevice } from '../raw-device.ts'
import { percentile, type Row, rounded } from '../report.ts'
import { arrive } from '../workloads/arrivals.ts'
import { accessOf } from '../workloads/famous.ts'
import { forEach, startKith } from '../workloads/kith.ts'
import { type Size, sized } from '../workloads/size.ts'
import { actors, newDevice } from './actors.ts'
import type { Population } from './population.ts'

/**
 * Measures actions of the most followed owner, who has 100 followers online, and their effect on the event loop and on two
 * bystanders. It erases the owner, so the folder is changed afterwards.
 */
export async function famousOwner(folder: string, population: Population, size: Size): Promise<Row[]> {
  const { file, nodeArguments, env } = await turnsMeasured()
  const server = await startKith({ folder, nodeArguments, env })
  const bystanders = new Bystanders()
  const followers: RawDevice[] = []
  const [famous = ''] = population.famous
  try {
    const owner = await newDevice(server, famous)
    await forEach(actors(population, 'fans', sized(size, 100, 5)), async user => {
      followers.push(await newDevice(server, user))
    })
    await bystanders.connect(server)
    const rows: Row[] = []
    const measure = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      bystanders.take()
      await turnsOf(server.pid, file)
      const begun = performance.now()
      await work()
      const tookMs = performance.now() - begun
      // After the answer, staged changes are still applied, and the cursors of all followers are moved.
      await pause(sized(size, 3_000, 50))
      const { longestMs, above20 } = await turnsOf(server.pid, file)
      const latencies = bystanders.take()
      rows.push({
        ' ': what,
        ms: rounded(tookMs),
        'longest turn: ms': longestMs,
        'turns above 20 ms': above20,
        'bystander p50: ms': percentile(latencies, 0.5),
        'bystander p99: ms': percentile(latencies, 0.99),
      })
    }
    const accesses = (levels: number): Promise<unknown> => Promise.all(followers.map(one => accessOf(one, levels)))
    await measure('nothing', () => pause(sized(size, 5_000, 100)))
    await measure('an edit, until all 100 have it', async () => {
      const arrived = Promise.all(followers.map(profileOf))
      await owner.edit('profile', [{ root: 'fields', key: '0/benchmark/status', value: 'an edit' }])
      await arrived
    })
    await measure('a new device', () => arrive(server, new RawDevice(famous)))
    await measure('a return', () => arrive(server, owner.restarted()))
    const nobody = 'benchmark0/nobody'
    await measure('narrows the audience, until all 100 know', async () => {
      const withdrawn = accesses(0)
      await owner.edit('roster', [{ root: 'privacy', key: nobody, value: true }])
      await withdrawn
    })
    await measure('widens it again', async () => {
      const seen = accesses(1)
      await owner.edit('roster', [{ root: 'privacy', key: nobody, value: undefined }])
      await seen
    })
    await measure('is erased, until all 100 know', async () => {
      const withdrawn = accesses(0)
      const { status } = await server.admin('DELETE', `/v1/users/${encodeURIComponent(famous)}`)
      assert.equal(status, 204)
      await withdrawn
    })
    owner.close()
    return rows
  } finally {
    bystanders.close()
    for (const device of followers) device.close()
    await server.stop()
  }
}

function profileOf(device: RawDevice): Promise<void> {
  return new Promise(resolve => {
    device.onProfile = () => resolve()
  })
}
