import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processorMs } from '../measure/processor-time.ts'
import { alternate, type Contestant, type Workload } from '../measure/rounds.ts'
import { RawDevice, userIds } from '../raw-device.ts'
import { percentile } from '../report.ts'
import type { ServerProcess } from '../server-process.ts'
import { followerOf, forEach, leftDevice, registerOwners, startKith } from './kith.ts'
import { type Size, sized } from './size.ts'

/**
 * W8: after a restart, all devices return within a second while two other devices continue. Compared with the two others alone.
 */
export async function restart(size: Size): Promise<Workload[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-'))
  const owners = userIds('owner', sized(size, 50, 5))
  const count = sized(size, 5000, 30)
  const first = await startKith({ folder })
  await registerOwners(first, owners)
  const known: RawDevice[] = []
  await forEach(userIds('device', count), async user => {
    const device = await leftDevice(first, user, owners)
    known.push(device)
  })
  const tokens = new Map<string, string>()
  await forEach(known, async ({ user }) => void tokens.set(user, await first.token(user)))
  const bystanders = new Map<string, string>()
  for (const user of ['bystander', 'bystanders-follower']) bystanders.set(user, await first.token(user))
  await first.stop()
  const contestants = [
    returnAll('two bystanders alone', folder, [], tokens, size),
    returnAll(`${count} return beside them`, folder, known, tokens, size),
  ]
  const title = `${count} devices with ${owners.length} follows return within a second of a restart`
  try {
    return [await alternate({ id: 'W8', title }, contestants, Math.min(size.rounds, 3))]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function returnAll(
  name: string,
  folder: string,
  known: readonly RawDevice[],
  tokens: ReadonlyMap<string, string>,
  size: Size,
): Contestant {
  const withinMs = sized(size, 1000, 100)
  return {
    name,
    round: async () => {
      const server = await startKith({ folder })
      try {
        const bystanders = await bystandersOn(server)
        const before = processorMs(server.pid)
        const begun = performance.now()
        const devices = await Promise.all(
          known.map(async (device, index) => {
            await new Promise(resolve => setTimeout(resolve, (index * withinMs) / known.length))
            const again = device.restarted()
            await again.connect(server, tokens.get(device.user) as string, true)
            return again
          }),
        )
        const tookMs = performance.now() - begun
        const computedMs = processorMs(server.pid) - before
        for (const device of devices) assert.equal(device.profilesReceived, 0, 'nothing has changed')
        await new Promise(resolve => setTimeout(resolve, Math.max(0, 3 * withinMs - tookMs)))
        const latencies = bystanders.stop()
        for (const device of devices) device.close()
        const figures = {
          'bystander p50 ms': percentile(latencies, 0.5),
          'bystander p99 ms': percentile(latencies, 0.99),
        }
        if (known.length === 0) return figures
        return {
          ...figures,
          'ms until all are back': tookMs,
          'devices/s': (1000 * known.length) / tookMs,
          'server ms/device': computedMs / known.length,
        }
      } finally {
        await server.stop()
      }
    },
    close: async () => undefined,
  }
}

/** An owner who edits all the time, and a follower: measures the effect of the other devices on them. */
async function bystandersOn(server: ServerProcess): Promise<{ stop(): number[] }> {
  const owner = new RawDevice('bystander')
  await owner.connect(server, await server.token(owner.user))
  await owner.edit('profile', [{ root: 'fields', key: '0/benchmark/status', value: 'first' }])
  const follower = await followerOf(server, 'bystanders-follower', [owner.user])
  const latencies: number[] = []
  let isStopped = false
  let edits = 0
  const go = (): void => {
    if (isStopped) return
    const begun = performance.now()
    follower.onProfile = () => {
      latencies.push(performance.now() - begun)
      setTimeout(go, 5)
    }
    owner.write('profile', [{ root: 'fields', key: '0/benchmark/status', value: `edit ${edits++} at ${Date.now()}` }])
  }
  go()
  return {
    stop: () => {
      isStopped = true
      owner.close()
      follower.close()
      return latencies
    },
  }
}
