import assert from 'node:assert/strict'
import { processorMs } from '../measure/processor-time.ts'
import { alternate, type Contestant, type Workload } from '../measure/rounds.ts'
import { turnsMeasured, turnsOf } from '../overload/turns.ts'
import { RawDevice, userIds } from '../raw-device.ts'
import type { ServerProcess } from '../server-process.ts'
import { arrive } from './arrivals.ts'
import { followerOf, forEach, startKith } from './kith.ts'
import { type Size, sized } from './size.ts'

/**
 * W7: an owner with 30,000 followers, 100 of them online, reconnects, and narrows and widens the audience. Compared with an
 * owner without followers.
 */
export async function famous(size: Size): Promise<Workload[]> {
  const { file, nodeArguments, env } = await turnsMeasured()
  const server = await startKith({ nodeArguments, env })
  try {
    const followers = sized(size, 30_000, 60)
    const online = sized(size, 100, 5)
    const contestants = [
      await ownerWith(server, file, { user: 'unknown', followers: 0, online: 0 }),
      await ownerWith(server, file, { user: 'known', followers: sized(size, 3_000, 20), online }),
      await ownerWith(server, file, { user: 'famous', followers, online }),
    ]
    const title = `an owner with ${followers} followers, ${online} of them online, returns; narrows the audience`
    return [await alternate({ id: 'W7', title }, contestants, size.rounds)]
  } finally {
    await server.stop()
  }
}

async function ownerWith(
  server: ServerProcess,
  turnsFile: string,
  { user, followers, online }: { user: string; followers: number; online: number },
): Promise<Contestant> {
  const owner = new RawDevice(user)
  await owner.connect(server, await server.token(user))
  await owner.edit('profile', [{ root: 'fields', key: '0/benchmark/name', value: user }])
  const devices: RawDevice[] = []
  await forEach(userIds(`fan-of-${user}`, followers), async id => {
    const device = await followerOf(server, id, [user])
    if (devices.length < online) devices.push(device)
    else device.close()
  })
  return {
    name: followers === 0 ? 'no followers' : `${followers} followers`,
    pid: server.pid,
    round: async round => {
      const { tookMs, bytes } = await arrive(server, owner.restarted())
      await turnsOf(server.pid, turnsFile)
      const before = processorMs(server.pid)
      const withdrawn = Promise.all(devices.map(device => accessOf(device, 0)))
      const key = `benchmark${round}/nobody`
      const begun = performance.now()
      await owner.edit('roster', [{ root: 'privacy', key, value: true }])
      const narrowedMs = performance.now() - begun
      await withdrawn
      const withdrawnMs = performance.now() - begun
      const seen = Promise.all(devices.map(device => accessOf(device, 1)))
      await owner.edit('roster', [{ root: 'privacy', key, value: undefined }])
      await seen
      const { longestMs } = await turnsOf(server.pid, turnsFile)
      return {
        'return: ms': tookMs,
        'return: bytes': bytes,
        'narrow: ms until on disk': narrowedMs,
        'narrow: ms until withdrawn': withdrawnMs,
        'server ms, both ways': processorMs(server.pid) - before,
        'longest turn: ms': longestMs,
      }
    },
    close: async () => {
      for (const device of [owner, ...devices]) device.close()
    },
  }
}

/** Resolves when the device receives an access message with this many levels. */
export function accessOf(device: RawDevice, levels: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new assert.AssertionError({ message: 'no access came' })), 60_000)
    device.onMessage = message => {
      if (message.type !== 'access' || message.levels.length !== levels) return
      clearTimeout(late)
      resolve()
    }
  })
}
