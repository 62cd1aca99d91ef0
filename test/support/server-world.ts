import { type Clock, check, type Finding, type LevelDatabase, openLevelStore, systemClock } from '@kith/server'
import { startTestServer, TestClock, type TestServer, type TestServerOptions } from '@kith/server/testing'
import { type Audience, defaultLimits, type Limits } from '@kith/shared'
import { MemoryLevel } from 'memory-level'
import { expect, onTestFinished } from 'vitest'
import { ChainedBatch } from './chained-batch.ts'
import { Device } from './raw-device.ts'
import { Incarnations, openStore, Runs } from './server-internals.ts'

export const adminKey = 'the admin key of these tests'

export interface World {
  readonly url: string
  readonly clock: TestClock
  readonly disk: Disk
  /** The errors that the server logged: none, unless a test causes a fault. */
  readonly errors: readonly unknown[]
  /** A device that is not connected yet. Closed when the test ends. */
  device(user: string): Device
  /** Devices that are connected, have said hello and are caught up, in this order. */
  devices<const U extends readonly string[]>(...users: U): Promise<{ [K in keyof U]: Device }>
  token(user: string, expiresInSeconds?: number): Promise<string>
  admin(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }>
  /** The levels that a viewer may see, according to the server. */
  visibleLevels(owner: string, viewer: string): Promise<readonly number[]>
  /** Differences between the stored state and the expected state [D4]. */
  check(): Promise<Finding[]>
  /** Stops the server, and starts it again on the same folder and port. */
  restart(): Promise<void>
  /** Closes the devices and the server. Runs automatically when the test is finished, unless a test opts out. */
  end(): Promise<void>
}

/** A real server on a free port, in memory or on a folder, with a clock that the test moves. */
export async function serverWorld(
  options: {
    limits?: Partial<Limits>
    folder?: string
    realClock?: boolean
    endsWithTest?: boolean
    maxSockets?: number
    trustedProxies?: readonly string[]
    messagePolicy?: Audience
  } = {},
): Promise<World> {
  const limits = { ...defaultLimits, ...options.limits }
  const testClock = new TestClock()
  const clock = options.realClock ? systemClock : testClock
  const errors: unknown[] = []
  const database = new MemoryLevel<string, Uint8Array>({ keyEncoding: 'utf8', valueEncoding: 'view' })
  const disk = new Disk(database as unknown as LevelDatabase)
  const start = async (port = 0): Promise<TestServer> =>
    startTestServer({
      store: options.folder ? await openLevelStore(options.folder, { limits, clock }) : openMemory(disk, limits, clock),
      ...{ port, limits, clock, adminKey, log: loggerInto(errors) },
      ...{ trustedProxies: options.trustedProxies, maxSockets: options.maxSockets },
      messagePolicy: options.messagePolicy,
    })
  let server = await start()
  const { url } = server
  const devices: Device[] = []
  const end = async (): Promise<void> => {
    disk.release()
    for (const device of devices) device.drop()
    await server.close()
  }
  if (options.endsWithTest !== false) onTestFinished(end)

  const world: World = {
    end,
    url,
    clock: testClock,
    disk,
    errors,
    device(user) {
      const device = new Device(user, url, () => server.issueToken(user))
      devices.push(device)
      return device
    },
    async devices(...users) {
      const made = users.map(user => world.device(user))
      for (const device of made) await device.signIn()
      return made as never
    },
    token: (user, seconds) => server.issueToken(user, seconds),
    admin: (method, path, body) => server.admin(method, path, body),
    async visibleLevels(owner, viewer) {
      const query = new URLSearchParams({ owner, viewer })
      const { body } = await world.admin('GET', `/v1/visibility?${query}`)
      return (body as { levels: number[] }).levels
    },
    async check() {
      return (await check(disk.database)).findings
    },
    async restart() {
      await server.close()
      server = await start(server.port)
    },
  }
  return world
}

/** Resolves when everything that these devices wrote is on disk, and everything that they may see has arrived. */
export async function settle(...devices: Device[]): Promise<void> {
  for (const withFeed of [false, true]) {
    const here = devices.filter(({ isConnected }) => isConnected)
    for (const isComplete of await Promise.all(here.map(device => device.barrier({ withFeed })))) {
      expect(isComplete).toBe(true)
    }
  }
}

/** The database beneath the server. A test can hold back its writes or make them fail. */
export class Disk {
  readonly database: LevelDatabase
  #failures = 0
  #held: (() => void)[] | undefined
  #onWrite: (() => void) | undefined
  #isFull = false
  #survives = false
  /** Writes that failed, but are on disk after the database is opened again. */
  #surviving: unknown[][] = []

  constructor(inner: LevelDatabase) {
    const array = (...args: unknown[]): Promise<void> => this.#write(inner, args)
    const write = (...args: unknown[]): unknown => (args.length > 0 ? array(...args) : new ChainedBatch(array))
    const open = (): Promise<void> => this.#open(inner)
    this.database = new Proxy(inner, {
      get(target, name) {
        if (name === 'batch') return write
        if (name === 'open') return open
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  failNextWrites(count: number): void {
    this.#failures = count
  }

  /**
   * From now on nothing is written until {@link makeRoom}, and the database cannot be opened. With `survives`, the next writes
   * fail but are found on disk afterwards, as after a failed sync.
   */
  fill({ survives = false } = {}): void {
    this.#isFull = true
    this.#survives = survives
  }

  makeRoom(): void {
    this.#isFull = false
  }

  /** The query of the store before it opens the database again. */
  findRoom = async (): Promise<void> => {
    if (this.#isFull) throw noSpace()
  }

  /** From now on writes wait until {@link release}. Resolves when the first write waits. */
  hold(): Promise<void> {
    this.#held = []
    return new Promise(resolve => {
      this.#onWrite = resolve
    })
  }

  release(): void {
    for (const go of this.#held?.splice(0) ?? []) go()
    this.#held = undefined
  }

  async #write(inner: LevelDatabase, args: unknown[]): Promise<void> {
    const held = this.#held
    if (held) {
      const released = new Promise<void>(go => held.push(go))
      this.#onWrite?.()
      await released
    }
    if (this.#isFull) {
      if (this.#survives) this.#surviving.push(args)
      this.#survives = false
      throw noSpace()
    }
    if (this.#failures > 0) {
      this.#failures--
      throw new Error('the disk is full')
    }
    await (inner.batch as (...args: unknown[]) => Promise<void>)(...args)
  }

  async #open(inner: LevelDatabase): Promise<void> {
    if (this.#isFull) throw noSpace()
    await inner.open()
    for (const args of this.#surviving.splice(0)) {
      await (inner.batch as (...args: unknown[]) => Promise<void>)(...args)
    }
  }
}

/** The error as LevelDB reports it. */
function noSpace(): Error {
  return new Error('IO error: /a/folder/store/000005.log: No space left on device')
}

/** All stores of one test are the same store, however often it is opened. */
const incarnations = new Incarnations(new Uint8Array(32).fill(7))

/** Opens the store on such a disk. */
export function openMemory({ database, findRoom }: Disk, limits: Limits, clock: Clock): ReturnType<typeof openStore> {
  return openStore({
    ...{ database, limits, clock, findRoom, incarnations },
    ...{ runs: Runs.begin(undefined, 0), cursorKey: new Uint8Array(32), position: 0 },
  })
}

/** A logger that collects the logged errors, and ignores all else. */
export function loggerInto(errors: unknown[]): NonNullable<TestServerOptions['log']> {
  const ignore = (): void => undefined
  const logger: Record<string, unknown> = { debug: ignore, info: ignore, warn: ignore, trace: ignore, fatal: ignore }
  logger['error'] = (what: unknown): void => void errors.push(what)
  logger['child'] = (): unknown => logger
  return logger as unknown as NonNullable<TestServerOptions['log']>
}
