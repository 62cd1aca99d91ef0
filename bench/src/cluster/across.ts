import { following, RawDevice, userIds } from '../raw-device.ts'
import { percentile, type Row } from '../report.ts'
import type { ServerProcess } from '../server-process.ts'
import type { Place } from './places.ts'

const followerCount = 100
const rounds = 100

/**
 * Measures the time from an owner's edit until its followers have it: followers on the owner's node and on another node, in
 * turn.
 */
export async function fanOutAcross({ name, nodes }: Place): Promise<Row[]> {
  const [here, there] = nodes as [ServerProcess, ServerProcess]
  const owner = new RawDevice('owner')
  await owner.connect(here, await here.token('owner'))
  await owner.edit('profile', status(-1))
  const followers = { same: await followersOn(here, 'same'), other: await followersOn(there, 'other') }
  const latencies = { same: [] as number[], other: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now()
    const arrivals = (['same', 'other'] as const).flatMap(where =>
      followers[where].map(
        device =>
          new Promise<void>(resolve => {
            device.onProfile = () => {
              latencies[where].push(performance.now() - begun)
              resolve()
            }
          }),
      ),
    )
    owner.write('profile', status(round))
    await Promise.all(arrivals)
  }
  for (const device of [owner, ...followers.same, ...followers.other]) device.close()
  return (['same', 'other'] as const).map(where => ({
    store: name,
    followers: `${followerCount} on the ${where} node`,
    'p50 ms': percentile(latencies[where], 0.5),
    'p99 ms': percentile(latencies[where], 0.99),
  }))
}

async function followersOn(node: ServerProcess, name: string): Promise<RawDevice[]> {
  const devices: RawDevice[] = []
  for (const user of userIds(name, followerCount)) {
    const device = new RawDevice(user)
    await device.connect(node, await node.token(user))
    await device.edit('roster', following(['owner']))
    devices.push(device)
  }
  return devices
}

const status = (round: number): { root: string; key: string; value: string }[] => [
  { root: 'fields', key: '0/benchmark/status', value: String(round) },
]
