import type { Kith, KithOptions } from '@kith/client'
import { openMemoryStore, type Store, systemClock } from '@kith/server'
import { startTestServer, type TestServer } from '@kith/server/testing'
import { defaultLimits, type Limits } from '@kith/shared'
import { onTestFinished } from 'vitest'
import { devicesOf } from './devices.ts'

/** A real server on a free port of this machine, and devices of its users. Closed when the test ends. */
export interface Backend extends TestServer {
  /** Opens a new device with empty storage, connected. */
  device(user: string, options?: Partial<KithOptions>): Promise<Kith>
  /** Opens the client on storage that the test passes. The same storage is the same device. */
  open(user: string, options: Partial<KithOptions>): Promise<Kith>
  token: TestServer['issueToken']
}

/** `wrap` can put a layer between the server and its store. */
export async function backend(limits: Partial<Limits> = {}, wrap?: (store: Store) => Store): Promise<Backend> {
  const options = { limits: { ...defaultLimits, ...limits }, clock: systemClock }
  const server = await startTestServer({ ...options, store: wrap?.(await openMemoryStore(options)) })
  onTestFinished(() => server.close())
  const devices = devicesOf(server)
  return { ...server, device: devices.open, open: devices.open, token: server.issueToken }
}
