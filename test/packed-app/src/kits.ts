import { createTestDevices, TestClock } from '@kith/client/testing'
import { openMemoryStore } from '@kith/server'
import { startTestServer, storeContract } from '@kith/server/testing'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { WebSocket } from 'ws'

/** Resolves to what a test device sees of another device's profile. */
export async function exchange(): Promise<unknown> {
  const server = await startTestServer({ clock: new TestClock() })
  const devices = createTestDevices({ server, IDBFactory, IDBKeyRange, WebSocket: WebSocket as never })
  const [ada, bob] = await devices.openPair('ada', 'bob')
  await ada.ownProfile.set('name', 'Ada')
  const profile = bob.getProfile('ada')
  await devices.settle(bob, ada)
  const { fields } = profile
  await devices.close()
  await server.close()
  return fields
}

/** The number of tests in the contract of a store. */
export function contractTests(): number {
  const names: string[] = []
  const runner = {
    describe: (_: string, body: () => void): void => body(),
    test: (name: string): unknown => names.push(name),
  }
  storeContract(runner, openMemoryStore)
  return names.length
}
