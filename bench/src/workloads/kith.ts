import { type Kith, type KithOptions, openKith } from '@kith/client'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { WebSocket } from 'ws'
import { pinServer } from '../measure/cores.ts'
import { following, RawDevice } from '../raw-device.ts'
import { type ServerProcess, type ServerProcessOptions, startServerProcess } from '../server-process.ts'

/** One user writes here as fast as many users do, and all users come from one address. */
const rates = ['WRITES_PER_SECOND', 'WRITES_BURST', 'WORK_PER_SECOND', 'WORK_BURST', 'CONNECTIONS_PER_ADDRESS']
const env = Object.fromEntries(rates.map(name => [`KITH_LIMIT_${name}`, '100000000']))

/** Starts a Kith server with production settings except for its rates, on a core of its own. */
export async function startKith(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const server = await startServerProcess({ ...options, env: { ...env, ...options.env } })
  pinServer(server.pid)
  return server
}

/** Opens a device with Kith's own client. Its database is in memory. */
export async function openClient(
  server: ServerProcess,
  user: string,
  Socket: typeof WebSocket = WebSocket,
): Promise<Kith> {
  const kith = await openKith({
    url: server.url.replace(/^http/, 'ws'),
    user,
    token: () => server.token(user),
    indexedDB: new IDBFactory(),
    IDBKeyRange,
    WebSocket: Socket as unknown as NonNullable<KithOptions['WebSocket']>,
  })
  await kith.whenSynced()
  return kith
}

/** Calls `work` for each element, with at most this number at a time. */
export async function forEach<T>(all: readonly T[], work: (one: T) => Promise<void>, atATime = 32): Promise<void> {
  const rest = [...all].reverse()
  const worker = async (): Promise<void> => {
    for (let one = rest.pop(); one !== undefined; one = rest.pop()) await work(one)
  }
  await Promise.all(Array.from({ length: atATime }, worker))
}

/** Registers owners, each with a name at level 0. */
export function registerOwners(server: ServerProcess, owners: readonly string[]): Promise<void> {
  return forEach(owners, async owner => {
    const device = new RawDevice(owner)
    await device.connect(server, await server.token(owner))
    await device.edit('profile', [{ root: 'fields', key: '0/benchmark/name', value: `I am ${owner}` }])
    device.close()
  })
}

/** Returns a device of a user who follows these owners. It is connected, and has all data that it receives. */
export async function followerOf(
  server: ServerProcess,
  user: string,
  owners: readonly string[],
  isVersioned = false,
): Promise<RawDevice> {
  const device = new RawDevice(user)
  device.isVersioned = isVersioned
  await device.connect(server, await server.token(user))
  await device.edit('roster', following(owners))
  return device
}

/**
 * Returns a device of a user who follows these owners, after it has disconnected. It has connected a second time, so that its
 * cursor covers all its data: the first time, it may have disconnected before its last cursor arrived.
 */
export async function leftDevice(server: ServerProcess, user: string, owners: readonly string[]): Promise<RawDevice> {
  const first = await followerOf(server, user, owners)
  first.close()
  const device = first.restarted()
  await device.connect(server, await server.token(user), true)
  device.close()
  return device
}
