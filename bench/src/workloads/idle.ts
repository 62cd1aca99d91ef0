import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WebSocket } from 'ws'
import { pinServer } from '../measure/cores.ts'
import { alternate, type Contestant, type Workload } from '../measure/rounds.ts'
import { connectBare, startBareServer } from '../peers/bare.ts'
import { type RawDevice, userIds } from '../raw-device.ts'
import { forEach, leftDevice, registerOwners, startKith } from './kith.ts'
import { type Size, sized } from './size.ts'

/** Longer than a document stays in memory after its last use, and longer than several heartbeats. */
const fullSettleMs = 70_000
/** Node arguments for a server whose memory is measured. */
export const collecting: readonly string[] = [
  '--expose-gc',
  '--import',
  new URL('../collect-on-signal.js', import.meta.url).href,
]

/** W4: devices with 50 follows connect, and stay idle. Measures the cost of each device for the server. */
export async function idle(size: Size): Promise<Workload[]> {
  const results: Workload[] = []
  for (const count of size.isQuick ? [20] : [1000, 5000]) results.push(await idleDevices(size, count))
  return results
}

async function idleDevices(size: Size, count: number): Promise<Workload> {
  const settleMs = sized(size, fullSettleMs, 200)
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-'))
  const owners = userIds('owner', sized(size, 50, 5))
  // Each user has connected once before, so that on the second server only the connection is measured.
  const first = await startKith({ folder })
  await registerOwners(first, owners)
  const known: RawDevice[] = []
  await forEach(userIds('device', count), async user => {
    const device = await leftDevice(first, user, owners)
    known.push(device)
  })
  await first.stop()
  const server = await startKith({ folder, nodeArguments: collecting })
  const bare = await startBareServer(collecting)
  pinServer(bare.pid)
  const tokens = new Map<string, string>()
  await forEach(known, async ({ user }) => void tokens.set(user, await server.token(user)))
  const kith = idleContestant<RawDevice>(
    'Kith',
    server.pid,
    settleMs,
    known.map(device => async () => {
      const again = device.restarted()
      await again.connect(server, tokens.get(device.user) as string, true)
      assert.equal(again.profilesReceived, 0, 'nothing has changed')
      return again
    }),
    device => device.close(),
  )
  const sockets = known.map(() => () => connectBare(bare.url))
  const base = idleContestant<WebSocket>('bare server', bare.pid, settleMs, sockets, socket => socket.terminate())
  const title = `${count} devices with ${owners.length} follows connect, and stay`
  try {
    return await alternate({ id: 'W4', title, at: count }, [base, kith], Math.min(size.rounds, 2))
  } finally {
    await server.stop()
    await bare.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Devices that connect at the same time, and then stay idle. */
export function idleContestant<T>(
  name: string,
  pid: number,
  settleMs: number,
  connect: readonly (() => Promise<T>)[],
  close: (device: T) => void,
): Contestant {
  return {
    name,
    pid,
    round: async () => {
      const before = await settled(pid, settleMs)
      const devices: T[] = []
      const begun = performance.now()
      await forEach(connect, async one => void devices.push(await one()), 64)
      const tookMs = performance.now() - begun
      const after = await settled(pid, settleMs)
      for (const device of devices) close(device)
      await pause(settleMs / 70)
      return {
        'connect: ms': tookMs,
        'KiB of heap and buffers/device': (after.used - before.used) / 1024 / devices.length,
        'KiB resident/device': (after.resident - before.resident) / 1024 / devices.length,
      }
    },
    close: async () => undefined,
  }
}

/** Measures memory after the caches have released their entries. Resident memory includes memory that V8 keeps for later. */
async function settled(pid: number, settleMs: number): Promise<{ used: number; resident: number }> {
  await pause(settleMs)
  const file = join(tmpdir(), `kith-memory-${pid}`)
  await rm(file, { force: true })
  process.kill(pid, 'SIGUSR2')
  for (;;) {
    await pause(50)
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.endsWith('\n')) return JSON.parse(text) as { used: number; resident: number }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
