import assert from 'node:assert/strict'
import type * as Y from 'yjs'
import { pinServer } from '../measure/cores.ts'
import { processorMs } from '../measure/processor-time.ts'
import type { Contestant } from '../measure/rounds.ts'
import { ask, connectBare, startBareServer } from '../peers/bare.ts'
import { PeerDevice, type PeerName } from '../peers/peer-device.ts'
import type { RawDevice } from '../raw-device.ts'
import type { Listening, ServerProcess } from '../server-process.ts'
import { forEach, openClient } from './kith.ts'

/** The data that one arrival received. */
export interface Traffic {
  frames: number
  bytes: number
}

/** Connects a device, and counts what it receives until it has caught up. */
export async function arrive(
  server: Pick<ServerProcess, 'url' | 'token'>,
  device: RawDevice,
): Promise<Traffic & { tookMs: number }> {
  const token = await server.token(device.user)
  let frames = 0
  let bytes = 0
  device.onMessage = (_message, data) => {
    frames++
    bytes += data.length
  }
  const begun = performance.now()
  await device.connect(server, token, true)
  const tookMs = performance.now() - begun
  device.close()
  return { frames, bytes, tookMs }
}

/** A bare server that sends a device that connects as many messages and bytes as in `traffic`. */
export async function bareArrival(traffic: Traffic): Promise<Contestant> {
  const server = await startBareServer()
  pinServer(server.pid)
  return {
    name: 'bare server',
    pid: server.pid,
    round: async () => {
      const before = processorMs(server.pid)
      const begun = performance.now()
      const socket = await connectBare(server.url)
      await ask(socket, traffic.frames, Math.ceil(traffic.bytes / traffic.frames))
      const tookMs = performance.now() - begun
      socket.terminate()
      return { ms: tookMs, 'server ms': processorMs(server.pid) - before, 'bytes down': traffic.bytes }
    },
    close: () => server.stop(),
  }
}

/** A device that `make` creates arrives. It must receive this many `profiles`. */
export function kithArrival(
  name: string,
  server: ServerProcess,
  profiles: number,
  make: (round: number) => RawDevice,
): Contestant {
  return {
    name,
    pid: server.pid,
    round: async round => {
      const device = make(round)
      const before = processorMs(server.pid)
      const { tookMs, bytes } = await arrive(server, device)
      assert.equal(device.profilesReceived, profiles, `${name}: so many profiles came`)
      return { ms: tookMs, 'server ms': processorMs(server.pid) - before, 'bytes down': bytes }
    },
    close: async () => undefined,
  }
}

/** A new device with Kith's client arrives: measured until all data is in its database. */
export function clientArrival(server: ServerProcess, user: string, owners: readonly string[]): Contestant {
  return {
    name: 'Kith, by @kith/client',
    pid: server.pid,
    round: async () => {
      const begun = performance.now()
      const kith = await openClient(server, user)
      const tookMs = performance.now() - begun
      const last = kith.getProfile(owners.at(-1) as string)
      await last.loaded
      assert.equal(last.get('name'), `I am ${owners.at(-1)}`)
      await kith.close()
      return { ms: tookMs }
    },
    close: async () => undefined,
  }
}

/** A device of a peer opens a document for each owner, with the data that it holds of them, or without any. */
export async function peerArrival(
  name: PeerName,
  server: Listening,
  owners: readonly string[],
  isNew: boolean,
): Promise<Contestant> {
  pinServer(server.pid)
  const known = new Map<string, Y.Doc>()
  await forEach(owners, async owner => {
    const device = new PeerDevice(name, server.url)
    await device.open([owner])
    device.write(owner, [{ root: 'fields', key: '0/benchmark/name', value: `I am ${owner}` }])
    await device.settle(owner)
    for (const [document, doc] of device.docs) known.set(document, doc)
    device.close()
  })
  return {
    name,
    pid: server.pid,
    round: async () => {
      const device = new PeerDevice(name, server.url)
      if (!isNew) device.hold(known)
      const before = processorMs(server.pid)
      const begun = performance.now()
      await device.open(owners, true)
      const tookMs = performance.now() - begun
      const last = device.docs.get(owners.at(-1) as string)
      assert.equal(last?.getMap('fields').get('0/benchmark/name'), `I am ${owners.at(-1)}`)
      device.close()
      return { ms: tookMs, 'server ms': processorMs(server.pid) - before }
    },
    close: () => server.stop(),
  }
}
