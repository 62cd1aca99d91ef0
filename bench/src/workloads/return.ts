import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alternate, type Workload } from '../measure/rounds.ts'
import { startPeers } from '../peers/peers.ts'
import { type RawDevice, userIds } from '../raw-device.ts'
import { type Row, rounded } from '../report.ts'
import type { ServerProcess } from '../server-process.ts'
import { arrive, bareArrival, kithArrival, peerArrival } from './arrivals.ts'
import { forEach, leftDevice, registerOwners, startKith } from './kith.ts'
import type { Size } from './size.ts'

/** With more owners than this, the peers would need minutes for a document for each owner. */
const mostOfPeers = 1000

/**
 * W3: a device with 1,000 follows returns, and nothing has changed. Its roster is in the server's memory, or only on its disk.
 * Also with fewer and with more follows.
 */
export async function returning(size: Size): Promise<Workload[]> {
  const results: Workload[] = []
  for (const follows of size.isQuick ? [20] : [100, 1000, 5000]) results.push(await returningWith(follows, size))
  return results
}

async function returningWith(follows: number, size: Size): Promise<Workload> {
  const owners = userIds('owner', follows)
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-'))
  const first = await startKith({ folder })
  await registerOwners(first, owners)
  // One user who connects in each round, and for each round one user whom the server has not seen since its start.
  const users = ['viewer', ...userIds('viewer-of-round', size.rounds)]
  const devices = new Map<string, RawDevice>()
  await forEach(users, async user => {
    const device = await leftDevice(first, user, owners)
    devices.set(user, device)
  })
  await first.stop()
  const server = await startKith({ folder })
  try {
    const again = (user: string): RawDevice => (devices.get(user) as RawDevice).restarted()
    const traffic = await arrive(server, again('viewer'))
    const { peers, notes } = await startPeers(size.hasPeers && follows <= mostOfPeers ? ['hocuspocus'] : [])
    const contestants = [
      await bareArrival(traffic),
      kithArrival('Kith', server, 0, () => again('viewer')),
      kithArrival('Kith, roster on disk only', server, 0, round => again(`viewer-of-round-${round}`)),
      ...(await Promise.all(peers.map(({ name, server: peer }) => peerArrival(name, peer, owners, false)))),
    ]
    const title = `a device with ${owners.length} follows returns, nothing has changed`
    return await alternate({ id: 'W3', title, notes, at: follows }, contestants, size.rounds)
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** On a running server: a device with 1,000 follows returns. */
export async function returnOfThousand(server: ServerProcess): Promise<Row> {
  const owners = userIds('owner', 1000)
  await registerOwners(server, owners)
  const first = await leftDevice(server, 'viewer', owners)
  const contestant = kithArrival('Kith', server, 0, () => first.restarted())
  const { contestants } = await alternate({ id: '', title: '' }, [contestant], 20)
  const values = [...(contestants[0]?.values.get('ms') ?? [])].sort((a, b) => a - b)
  return { follows: owners.length, 'ms until caught up': rounded(values[10] as number) }
}
