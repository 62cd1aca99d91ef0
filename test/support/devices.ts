import type { KithOptions } from '@kith/client'
import { createTestDevices, type TestDevice, type TestDevices, type TestDevicesServer } from '@kith/client/testing'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

/** Devices in memory, of a server or offline. Closed when the test ends. */
export function devicesOf(server?: TestDevicesServer): TestDevices {
  const devices = createTestDevices({ server, IDBFactory, IDBKeyRange, WebSocket })
  onTestFinished(() => devices.close())
  return devices
}

/** A device of `user` with empty storage. It is offline until a test passes the server's address. */
export function installation(user: string, defaults: Partial<KithOptions> = {}): TestDevice {
  return devicesOf().install(user, defaults)
}

/** Returns the first emission of an observable, such as `kith.contacts()`. */
export function first<T>(observable: { subscribe(next: (value: T) => void): { unsubscribe(): void } }): Promise<T> {
  return new Promise(resolve => {
    const subscription = observable.subscribe(value => {
      resolve(value)
      queueMicrotask(() => subscription.unsubscribe())
    })
  })
}
