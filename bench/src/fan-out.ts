import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { following, RawDevice, userIds } from './raw-device.ts'
import { percentile, print, type Row } from './report.ts'
import { listen, type ServerProcess, startServerProcess } from './server-process.ts'

/** (a) One owner, 1,000 followers on 1,000 sockets, beside a bare broadcast of as many bytes in the same run. */
const followerCount = 1000
const rounds = 60
const valueBytes = 100

export async function fanOut(): Promise<void> {
  const kith = await startServerProcess()
  const bare = await listen([fileURLToPath(new URL('./broadcast-server.js', import.meta.url))])
  try {
    const ours = await ownersEdits(kith)
    const theirs = await bareBroadcast(bare.url)
    const rows: Row[] = []
    // Alternating, so that whatever else the machine does meets both.
    const times = { ours: [] as number[], theirs: [] as number[] }
    const latencies = { ours: [] as number[], theirs: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      times.ours.push(await ours.round(round, latencies.ours))
      times.theirs.push(await theirs.round(round, latencies.theirs))
    }
    for (const name of ['ours', 'theirs'] as const) {
      const total = times[name].reduce((sum, time) => sum + time, 0)
      rows.push({
        what: name === 'ours' ? 'Kith: edit, fsync, check, hand over' : 'bare ws broadcast',
        'deliveries/s': Math.round((followerCount * rounds * 1000) / total),
        'p50 ms': percentile(latencies[name], 0.5),
        'p99 ms': percentile(latencies[name], 0.99),
      })
    }
    print(`(a) one owner, ${followerCount} followers, ${rounds} edits of ${valueBytes} bytes`, rows)
    ours.close()
    theirs.close()
  } finally {
    await kith.stop()
    await bare.stop()
  }
}

interface Rounds {
  /** Milliseconds until the last has it; each delivery's latency is added to `latencies`. */
  round(number: number, latencies: number[]): Promise<number>
  close(): void
}

async function ownersEdits(server: ServerProcess): Promise<Rounds> {
  const owner = new RawDevice('owner')
  await owner.connect(server, await server.token('owner'))
  await owner.edit('profile', [{ root: 'fields', key: '0/benchmark/status', value: 'first' }])
  const followers: RawDevice[] = []
  for (const id of userIds('follower', followerCount)) {
    const device = new RawDevice(id)
    await device.connect(server, await server.token(id))
    await device.edit('roster', following(['owner']))
    followers.push(device)
  }
  return {
    round: (number, latencies) => {
      const begun = performance.now()
      const done = allOf(followers.length, begun, latencies)
      for (const follower of followers) follower.onProfile = done.one
      owner.write('profile', [{ root: 'fields', key: '0/benchmark/status', value: padded(number) }])
      return done.all
    },
    close: () => {
      for (const device of [owner, ...followers]) device.close()
    },
  }
}

async function bareBroadcast(url: string): Promise<Rounds> {
  const sockets = await Promise.all(
    userIds('socket', followerCount).map(
      () =>
        new Promise<WebSocket>((resolve, reject) => {
          const socket = new WebSocket(url, { perMessageDeflate: false })
          socket.once('open', () => resolve(socket))
          socket.once('error', reject)
        }),
    ),
  )
  return {
    round: (number, latencies) => {
      const done = allOf(sockets.length, performance.now(), latencies)
      for (const socket of sockets) {
        socket.removeAllListeners('message')
        socket.on('message', done.one)
      }
      sockets[0]?.send(new TextEncoder().encode(padded(number)))
      return done.all
    },
    close: () => {
      for (const socket of sockets) socket.terminate()
    },
  }
}

function allOf(count: number, begun: number, latencies: number[]): { one: () => void; all: Promise<number> } {
  let left = count
  let finish: (time: number) => void = () => undefined
  const all = new Promise<number>(resolve => {
    finish = resolve
  })
  const one = (): void => {
    const time = performance.now() - begun
    latencies.push(time)
    if (--left === 0) finish(time)
  }
  return { one, all }
}

function padded(number: number): string {
  return String(number).padStart(valueBytes, '.')
}
