import { alternate, type Workload } from '../measure/rounds.ts'
import { startPeers } from '../peers/peers.ts'
import { RawDevice, userIds } from '../raw-device.ts'
import { arrive, bareArrival, clientArrival, kithArrival, peerArrival } from './arrivals.ts'
import { followerOf, registerOwners, startKith } from './kith.ts'
import { type Size, sized } from './size.ts'

const user = 'viewer'

/** W2: a new device of a user with 1,000 follows, until it has all data that it may see. */
export async function newDevice(size: Size): Promise<Workload[]> {
  const owners = userIds('owner', sized(size, 1000, 20))
  const server = await startKith()
  try {
    await registerOwners(server, owners)
    const first = await followerOf(server, user, owners)
    first.close()
    const traffic = await arrive(server, new RawDevice(user))
    const { peers, notes } = await startPeers(size.hasPeers ? ['hocuspocus', 'y-websocket'] : [])
    const contestants = [
      await bareArrival(traffic),
      kithArrival('Kith', server, owners.length, () => new RawDevice(user)),
      clientArrival(server, user, owners),
      ...(await Promise.all(peers.map(({ name, server: peer }) => peerArrival(name, peer, owners, true)))),
    ]
    const title = `a new device, ${owners.length} follows, until it has all of them`
    return [await alternate({ id: 'W2', title, notes }, contestants, size.rounds)]
  } finally {
    await server.stop()
  }
}
