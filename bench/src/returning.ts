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
      const user = `viewer-of-${count}`
      const first = new RawDevice(user)
      await first.connect(server, await server.token(user))
      await first.edit('roster', following(owners.slice(0, count)))
      first.close()
      known.push({ follows: count, ...(await measure(server, () => returned(first), true)) })
      if (count === 1000) fresh.push({ follows: count, ...(await measure(server, () => new RawDevice(user), false)) })
    }
    print(`(b) a device returns, nothing changed (median of ${repeats})`, known)
    print(`(c) a new device (median of ${repeats})`, fresh)
  } finally {
    await server.stop()
  }
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
