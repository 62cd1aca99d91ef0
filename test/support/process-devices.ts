import type { Kith, KithOptions } from '@kith/client'
import { createTestDevices } from '@kith/client/testing'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { ServerProcess } from '../../bench/src/server-process.ts'

/** Every byte that a device's sockets received. Tests search it for data that the device must not receive. */
export interface Received {
  readonly frames: Buffer[]
  contains(text: string): boolean
}

/** A device of a user on a server process, closed when the test ends. The same `indexedDB` is the same device. */
export async function openDevice(
  server: ServerProcess,
  user: string,
  options: Partial<KithOptions> = {},
): Promise<Kith & { received: Received }> {
  const frames: Buffer[] = []
  class RecordingSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      this.on('message', data => frames.push(Buffer.from(data as ArrayBuffer)))
    }
  }
  const devices = createTestDevices({
    server: { wsUrl: server.url.replace(/^http/, 'ws'), issueToken: name => server.token(name) },
    ...{ IDBFactory, IDBKeyRange, WebSocket: RecordingSocket as unknown as NonNullable<KithOptions['WebSocket']> },
  })
  onTestFinished(() => devices.close())
  const kith = await devices.open(user, options)
  const contains = (text: string): boolean => frames.some(frame => frame.includes(text))
  return Object.assign(kith, { received: { frames, contains } })
}

/** Resolves when the changes of these devices are on the server's disk, and each device holds everything that it may see. */
export async function settle(...devices: Kith[]): Promise<void> {
  for (let round = 0; round < 2; round++) for (const device of devices) await device.whenSynced()
}

/** Resolves when the event happens next. */
export function next<E extends 'profile' | 'joined' | 'withdrawn'>(device: Kith, event: E): Promise<string> {
  return new Promise(resolve => {
    const stop = device.on<E>(event, (...details) => {
      const [profile] = details
      stop()
      resolve(profile.id)
    })
  })
}
