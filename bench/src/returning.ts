import { following, RawDevice, registerOwners, userIds } from './raw-device.ts'
import { percentile, print, type Row } from './report.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

const repeats = 20

/** (b) A device with 10 and with 1,000 follows returns, and nothing has changed. (c) A new device with 1,000 follows. */
export async function returning(): Promise<void> {
  const server = await startServerProcess()
  try {
    const owners = userIds('owner', 1000)
    await registerOwners(server, owners)
    const known: Row[] = []
    const fresh: Row[] = []
    for (const count of [10, 1000]) {
      const first = await viewerOf(server, owners.slice(0, count))
      known.push({ follows: count, ...(await measure(server, () => returned(first), true)) })
      if (count === 1000) {
        fresh.push({ follows: count, ...(await measure(server, () => new RawDevice(first.user), false)) })
      }
    }
    print(`(b) a device returns, nothing changed (median of ${repeats})`, known)
    print(`(c) a new device (median of ${repeats})`, fresh)
  } finally {
    await server.stop()
  }
}

/** (b) alone, on a server that runs: with 1,000 follows. */
export async function returnOfThousand(server: ServerProcess): Promise<Row> {
  const owners = userIds('owner', 1000)
  await registerOwners(server, owners)
  const first = await viewerOf(server, owners)
  return measure(server, () => returned(first), true)
}

/** A device that follows these owners and has left. */
async function viewerOf(server: ServerProcess, owners: readonly string[]): Promise<RawDevice> {
  const device = new RawDevice(`viewer-of-${owners.length}`)
  await device.connect(server, await server.token(device.user))
  await device.edit('roster', following(owners))
  device.close()
  return device
}

/** The same device after a restart: with its roster and its cursor. */
function returned(device: RawDevice): RawDevice {
  const again = new RawDevice(device.user)
  again.cursor = device.cursor
  return again
}

async function measure(server: ServerProcess, make: () => RawDevice, isQuiet: boolean): Promise<Row> {
  const times: number[] = []
  let device = make()
  for (let repeat = 0; repeat < repeats; repeat++) {
    device = make()
    const token = await server.token(device.user)
    const begun = performance.now()
    await device.connect(server, token)
    times.push(performance.now() - begun)
    device.close()
  }
  if (isQuiet && device.profilesReceived > 0) throw new Error('something was sent though nothing had changed')
  return {
    'feed bytes, both ways': device.feedBytes,
    profiles: device.profilesReceived,
    'ms until caught up': percentile(times, 0.5),
  }
}
