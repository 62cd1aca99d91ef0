import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { following, RawDevice, registerOwners, userIds } from './raw-device.ts'
import { print, rounded } from './report.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

const deviceCount = 2000
const followCount = 50
/** Longer than a document stays in memory after its last use, and several heartbeats. */
const settleMs = 70_000

/** (e) What an idle device with 50 follows costs the server. */
export async function idleMemory(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-'))
  const start = (): Promise<ServerProcess> =>
    startServerProcess({
      folder,
      nodeArguments: ['--expose-gc', '--import', new URL('./collect-on-signal.js', import.meta.url).href],
      env: { KITH_LIMIT_CONNECTIONS_PER_ADDRESS: String(deviceCount + 10) },
    })
  const owners = userIds('owner', followCount)
  const users = userIds('device', deviceCount)
  // Everybody has been here once, so that on the second server only the connection is measured.
  const first = await start()
  await registerOwners(first, owners)
  for (const user of users) await arrive(first, user, owners)
  await first.stop()
  const server = await start()
  try {
    const before = await settled(server)
    const devices: RawDevice[] = []
    for (const user of users) devices.push(await arrive(server, user, undefined))
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
    await rm(folder, { recursive: true })
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
  process.kill(server.pid, 'SIGUSR2')
  await new Promise(resolve => setTimeout(resolve, 1000))
  const [, pages] = (await readFile(`/proc/${server.pid}/statm`, 'utf8')).split(' ')
  return { rss: Number(pages) * 4096, heap: await server.metric('nodejs_heap_size_used_bytes') }
}

function perDevice(before: number, after: number): number {
  return rounded((after - before) / deviceCount / 1024)
}
