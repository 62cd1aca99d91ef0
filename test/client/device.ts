import { type Kith, type KithOptions, openKith } from '@kith/client'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

/** What outlives a reload: one installation's storage. */
export interface Installation {
  readonly user: string
  readonly indexedDB: IDBFactory
  /** Opens the client on it. Closed when the test ends. */
  open(options?: Partial<KithOptions>): Promise<Kith>
}

/** A device of `user` with empty storage, which nobody reaches until a test says where the server is. */
export function installation(user: string, defaults: Partial<KithOptions> = {}): Installation {
  const indexedDB = new IDBFactory()
  return {
    user,
    indexedDB,
    async open(options = {}) {
      const kith = await openKith({
        url: 'ws://127.0.0.1:9',
        token: 'none',
        user,
        connect: false,
        indexedDB,
        IDBKeyRange,
        WebSocket,
        ...defaults,
        ...options,
      })
      onTestFinished(() => kith.close())
      return kith
    },
  }
}

/** The first emission of an observable, such as `kith.contacts()`. */
export function first<T>(observable: { subscribe(next: (value: T) => void): { unsubscribe(): void } }): Promise<T> {
  return new Promise(resolve => {
    const subscription = observable.subscribe(value => {
      resolve(value)
      queueMicrotask(() => subscription.unsubscribe())
    })
  })
}
