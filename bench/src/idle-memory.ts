import { readFile } from 'node:fs/promises'
import { following, RawDevice, registerOwners, userIds } from './raw-device.ts'
import { print, rounded } from './report.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

const deviceCount = 2000
const followCount = 50
/** Longer than a document stays in memory after its last use, and several heartbeats. */
const settleMs = 70_000

/** (e) What an idle device with 50 follows costs the server. */
export async function idleMemory(): Promise<void> {
  const server = await startServerProcess({ env: { KITH_LIMIT_CONNECTIONS_PER_ADDRESS: String(deviceCount + 10) } })
  try {
    const owners = userIds('owner', followCount)
    await registerOwners(server, owners)
    const users = userIds('device', deviceCount)
    // Everybody has been here once, so that only the connection is measured.
    for (const user of users) await arrive(server, user, owners)
    const before = await settled(server)
    const devices = await Promise.all(users.map(user => arrive(server, user, undefined)))
    const after = await settled(server)
    for (const device of devices) device.close()
    print(`(e) ${deviceCount} idle devices, ${followCount} follows each`, [
      {
        'KiB of RSS per device': perDevice(before.rss, after.rss),
        'KiB of heap per device': perDevice(before.heap, after.heap),
      },
    ])
  } finally {
    await server.stop()
  }
}

async function arrive(server: ServerProcess, user: string, owners: readonly string[] | undefined): Promise<RawDevice> {
  const device = new RawDevice(user)
  await device.connect(server, await server.token(user))
  if (!owners) return device
  await device.edit('roster', following(owners))
  device.close()
  return device
}

/** After the caches have let go. The resident size includes what V8 keeps for later. */
async function settled(server: ServerProcess): Promise<{ rss: number; heap: number }> {
  await new Promise(resolve => setTimeout(resolve, settleMs))
  const [, pages] = (await readFile(`/proc/${server.pid}/statm`, 'utf8')).split(' ')
  return { rss: Number(pages) * 4096, heap: await server.metric('nodejs_heap_size_used_bytes') }
}

function perDevice(before: number, after: number): number {
  return rounded((after - before) / deviceCount / 1024)
}
