import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { alternate, type Contestant, type Workload } from '../measure/rounds.ts'
import { RawDevice, userIds } from '../raw-device.ts'
import { percentile } from '../report.ts'
import type { ServerProcess } from '../server-process.ts'
import { forEach, startKith } from './kith.ts'
import { type Size, sized } from './size.ts'

/** An edit of a profile writes this many records of about this many bytes: update, level, user, position, log. */
const recordsOfEdit = 5
const recordBytes = 120

/**
 * W6: changes per second, where each device waits until its change is on disk. Compared with synced batches of as many records
 * on LevelDB alone.
 */
export async function commits(size: Size): Promise<Workload[]> {
  const server = await startKith()
  const results: Workload[] = []
  try {
    for (const count of size.isQuick ? [1, 8] : [1, 64, 1000]) {
      const title = `${count} device${count > 1 ? 's' : ''}, each awaits that its edit is on disk`
      const contestants = [
        await levelAlone(count, size),
        await kithCommits('Kith', server, userIds(`writer-of-${count}`, count), size),
      ]
      results.push(await alternate({ id: 'W6', title }, contestants, size.rounds))
    }
  } finally {
    await server.stop()
  }
  return results
}

function editsOf(count: number, size: Size): number {
  return sized(size, Math.ceil(2000 / count) + 5, 5)
}

/** Devices of these users. Each waits until its edit is on disk before it makes another one. */
export async function kithCommits(
  name: string,
  server: ServerProcess,
  users: readonly string[],
  size: Size,
): Promise<Contestant> {
  const devices: RawDevice[] = []
  await forEach(users, async user => {
    const device = new RawDevice(user)
    await device.connect(server, await server.token(user))
    devices.push(device)
  })
  let edits = 0
  return {
    name,
    pid: server.pid,
    round: () =>
      loops(users.length, editsOf(users.length, size), index => {
        const value = `edit ${edits++}`
        return (devices[index] as RawDevice).edit('profile', [{ root: 'fields', key: '0/benchmark/status', value }])
      }),
    close: async () => {
      for (const device of devices) device.close()
    },
  }
}

/** Writes the same number of records in one synced batch after another, in the process of the load. */
async function levelAlone(count: number, size: Size): Promise<Contestant> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-'))
  const level = new Level<string, Uint8Array>(folder, { valueEncoding: 'view' })
  await level.open()
  const value = new Uint8Array(recordBytes)
  return {
    name: 'LevelDB alone',
    round: async () => {
      const batches = editsOf(count, size)
      const times: number[] = []
      const begun = performance.now()
      for (let index = 0; index < batches; index++) {
        const batchBegun = performance.now()
        const batch = level.batch()
        for (let record = 0; record < count * recordsOfEdit; record++) batch.put(`${index}/${record}`, value)
        await batch.write({ sync: true })
        times.push(performance.now() - batchBegun)
      }
      return figures(times, (batches * count * 1000) / (performance.now() - begun))
    },
    close: async () => {
      await level.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** Runs this many loops at a time, each with this many steps. */
async function loops(
  count: number,
  steps: number,
  step: (index: number) => Promise<void>,
): Promise<Record<string, number>> {
  const times: number[] = []
  const begun = performance.now()
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      for (let left = steps; left > 0; left--) {
        const stepBegun = performance.now()
        await step(index)
        times.push(performance.now() - stepBegun)
      }
    }),
  )
  return figures(times, (count * steps * 1000) / (performance.now() - begun))
}

function figures(times: readonly number[], perSecond: number): Record<string, number> {
  return { 'edits/s': perSecond, 'p50 ms': percentile(times, 0.5), 'p99 ms': percentile(times, 0.99) }
}
