import assert from 'node:assert/strict'
import { processorMs } from '../measure/processor-time.ts'
import type { Contestant } from '../measure/rounds.ts'
import type { RawDevice } from '../raw-device.ts'
import type { ServerProcess } from '../server-process.ts'
import { kithSync } from '../workloads/bulk-sync.ts'
import { kithCommits } from '../workloads/commits.ts'
import { fanContestant } from '../workloads/fan-out.ts'
import { fanOf } from '../workloads/fans.ts'
import { idleContestant } from '../workloads/idle.ts'
import { forEach, startKith } from '../workloads/kith.ts'
import { type Size, sized } from '../workloads/size.ts'
import { actors, leftDevice, newDevice } from './actors.ts'
import type { Population } from './population.ts'

/** A data folder with a population, and its server. */
export interface Served {
  readonly name: string
  readonly folder: string
  readonly population: Population
  readonly server: ServerProcess
}

/** W1: the edits of the most followed owner, who has 100 followers online. */
export async function fanOut({ name, server, population }: Served, size: Size): Promise<Contestant> {
  const owner = await newDevice(server, population.famous[0] as string)
  const online = sized(size, 100, 5)
  const followers: RawDevice[] = []
  await forEach(actors(population, 'fans', online), async user => {
    followers.push(await newDevice(server, user))
  })
  return fanContestant(fanOf(name, server, owner, followers), online, 20, size)
}

/** W2: new devices of users with 50 contacts, one after another, until they have all data; other users in each round. */
export function newDevices({ name, server, population }: Served, size: Size): Contestant {
  const users = actors(population, 'new', arrivals(size) * size.rounds)
  return {
    name,
    pid: server.pid,
    round: round =>
      each(server, turnOf(users, round, arrivals(size)), async user => {
        const device = await newDevice(server, user)
        assert(device.profilesReceived > 0, `${user} got profiles`)
        assert(device.roster.getMap('contacts').size > 0, `${user} got the roster`)
        device.close()
      }),
    close: async () => undefined,
  }
}

/** W3: devices return to a server that has not seen them since its start, and nothing has changed. */
export function returning({ name, server }: Served, left: readonly RawDevice[], size: Size): Contestant {
  return {
    name,
    pid: server.pid,
    round: round =>
      each(server, turnOf(left, round, arrivals(size)), async device => {
        const again = device.restarted()
        await again.connect(server, await server.token(device.user), true)
        assert.equal(again.profilesReceived, 0, 'nothing has changed')
        again.close()
      }),
    close: async () => undefined,
  }
}

/** W4: devices connect at the same time, and stay. */
export async function idle({ name, server }: Served, left: readonly RawDevice[], size: Size): Promise<Contestant> {
  const tokens = new Map<string, string>()
  for (const { user } of left) tokens.set(user, await server.token(user))
  const connect = left.map(device => async () => {
    const again = device.restarted()
    await again.connect(server, tokens.get(device.user) as string, true)
    return again
  })
  return idleContestant(name, server.pid, sized(size, 5_000, 100), connect, device => device.close())
}

/** W5: a new user's phone book. Half of its contacts are registered. */
export function phoneBook({ name, server, population }: Served, size: Size): Contestant {
  const half = sized(size, 1_000, 20)
  const registered = population.spread(half, index => index % population.usersOfTown).map(one => population.user(one))
  const others = Array.from({ length: half }, (_, index) => `+1212${5_550_000 + index}`)
  return kithSync(name, server, [...registered, ...others])
}

/** W6: edits of one device and of 64, each of which waits until its edit is on disk. */
export function committing({ name, server, population }: Served, devices: number, size: Size): Promise<Contestant> {
  return kithCommits(name, server, actors(population, 'writers', devices), size)
}

/** Starts the server and makes the devices that W3 and W4 need, after they have disconnected. */
export async function prepared(
  { folder, population }: Omit<Served, 'server'>,
  size: Size,
): Promise<{ returning: RawDevice[]; idle: RawDevice[] }> {
  const server = await startKith({ folder })
  const leave = async (users: readonly string[]): Promise<RawDevice[]> => {
    const devices = new Map<string, RawDevice>()
    await forEach(users, async user => void devices.set(user, await leftDevice(server, user)))
    return users.map(user => devices.get(user) as RawDevice)
  }
  try {
    const some = Math.ceil((arrivals(size) * size.rounds) / 2)
    const idlers = sized(size, 100, 4)
    return {
      returning: [
        ...(await leave(actors(population, 'returning', some))),
        ...(await leave(actors(population, 'returningToo', some))),
      ],
      idle: [
        ...(await leave(actors(population, 'idle', idlers))),
        ...(await leave(actors(population, 'idleToo', idlers))),
      ],
    }
  } finally {
    await server.stop()
  }
}

/** Measures the time from the start of the server until it listens. */
export function starting({ name, folder }: Omit<Served, 'server'>): Contestant {
  return {
    name,
    round: async () => {
      const begun = performance.now()
      const server = await startKith({ folder })
      const startMs = performance.now() - begun
      await server.stop()
      return { 'start: ms': startMs }
    },
    close: async () => undefined,
  }
}

function arrivals(size: Size): number {
  return sized(size, 20, 2)
}

function turnOf<T>(all: readonly T[], round: number, count: number): readonly T[] {
  return all.slice(round * count, (round + 1) * count)
}

/** Does the work for one after another. Returns the average for one. */
async function each<T>(
  server: ServerProcess,
  all: readonly T[],
  work: (one: T) => Promise<void>,
): Promise<Record<string, number>> {
  const before = processorMs(server.pid)
  const begun = performance.now()
  for (const one of all) await work(one)
  return {
    'ms each': (performance.now() - begun) / all.length,
    'server ms each': (processorMs(server.pid) - before) / all.length,
  }
}
