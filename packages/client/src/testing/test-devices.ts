import type { Kith } from '../api/kith.ts'
import { openKith } from '../open.ts'
import type { KithOptions } from '../options.ts'

/** The server that test devices connect to. A `TestServer` of `@kith/server/testing` is one. */
export interface TestDevicesServer {
  /** For example `ws://127.0.0.1:40123`. */
  readonly wsUrl: string
  /**
   * Resolves to a token for a user.
   *
   * @param user - The user id.
   * @throws Any error of the server; `openKith` then reports `unavailable`.
   */
  issueToken(user: string): Promise<string>
}

/**
 * The options of test devices. Node has no IndexedDB: `IDBFactory` and `IDBKeyRange` are those of the package fake-indexeddb,
 * or of another IndexedDB in memory. (`openKith` takes an instance: `indexedDB: new IDBFactory()`.)
 */
export interface TestDevicesOptions {
  /** Without a server, the devices stay offline. */
  server?: TestDevicesServer | undefined
  /** The class of an IndexedDB in memory. Each device gets an instance. */
  IDBFactory: new () => IDBFactory
  IDBKeyRange: typeof IDBKeyRange
  /** By default, the platform's, which Node has from version 22 on. The class of the package ws also fits. */
  WebSocket?: KithOptions['WebSocket'] | undefined
  /** Options of `openKith` for each device, such as a `clock`. */
  defaults?: Partial<KithOptions> | undefined
}

/** One installation of one user. Its storage is kept when its client is closed. */
export interface TestDevice {
  readonly user: string
  readonly indexedDB: IDBFactory
  /**
   * Opens the client on this device's storage. May be called again after `close()`, as when an app restarts. `options` override
   * those of the device. Rejects as `openKith` does; with `database-in-use` while an earlier client is open.
   *
   * @returns Resolves to the client, when it is open.
   */
  open(options?: Partial<KithOptions>): Promise<Kith>
}

/** The devices of a test. */
export interface TestDevices {
  /**
   * Returns a new device with empty storage. Nothing is opened yet. `options` apply each time it is opened.
   *
   * @param user - The user id.
   */
  install(user: string, options?: Partial<KithOptions>): TestDevice
  /**
   * Opens the client on a new device. Rejects as `openKith` does.
   *
   * @param user - The user id.
   * @param options - Options of `openKith` that override the others.
   * @returns Resolves to the client, when it is open.
   */
  open(user: string, options?: Partial<KithOptions>): Promise<Kith>
  /**
   * Opens two devices, of two users or of one. Rejects as `openKith` does.
   *
   * @param one - The user of the first device.
   * @param other - The user of the second device.
   * @param options - Options of `openKith` that override the others.
   * @returns Resolves to both clients, when they are open.
   */
  openPair(one: string, other: string, options?: Partial<KithOptions>): Promise<[Kith, Kith]>
  /**
   * Resolves when the changes of all these clients are on the server's disk, and each client has received what it may see of
   * them. Waits while a client is offline. Rejects as `whenSynced()` does.
   *
   * @param clients - Clients that `open` or `openPair` returned.
   */
  settle(...clients: Kith[]): Promise<void>
  /**
   * Closes all clients. Their storage stays until it is garbage-collected. May be called twice.
   *
   * @returns Resolves when all clients are closed. Never rejects.
   */
  close(): Promise<void>
}

/** Port 9 is "discard": nothing listens there. */
const noServer = { url: 'ws://127.0.0.1:9', token: 'none', connect: false }

/**
 * Returns an empty set of devices for one test. Each device is a whole client; only its storage is in memory.
 *
 * @param options - The server, and the classes that Node lacks.
 */
export function createTestDevices(options: TestDevicesOptions): TestDevices {
  const { server, IDBFactory, IDBKeyRange, WebSocket, defaults } = options
  const clients = new Set<Kith>()

  function install(user: string, own: Partial<KithOptions> = {}): TestDevice {
    const indexedDB = new IDBFactory()
    return {
      user,
      indexedDB,
      async open(overrides = {}) {
        const kith = await openKith({
          ...(server ? { url: server.wsUrl, token: () => server.issueToken(user) } : noServer),
          ...{ user, indexedDB, IDBKeyRange },
          ...(WebSocket && { WebSocket }),
          ...{ ...defaults, ...own, ...overrides },
        })
        clients.add(kith)
        return kith
      },
    }
  }

  const open: TestDevices['open'] = (user, own) => install(user, own).open()
  return {
    install,
    open,
    openPair: (one, other, own) => Promise.all([open(one, own), open(other, own)]),
    async settle(...all) {
      // In the first round, all changes reach the server; in the second, they reach the other clients.
      for (let round = 0; round < 2; round++) for (const kith of all) await kith.whenSynced()
    },
    async close() {
      await Promise.all([...clients].map(kith => kith.close()))
      clients.clear()
    },
  }
}
