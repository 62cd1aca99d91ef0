import { type ServerProcess, startServerProcess } from '@kith/bench/server-process'
import { Backend } from './backend.ts'
import { Backups } from './backups.ts'
import { Device } from './device.ts'
import { devicesPerUser, users } from './keys.ts'
import { Random } from './random.ts'

/** Longer than any device rests before it tries again, on a busy machine. */
export const settlingMs = 60_000

/** A server on a folder, the devices of its users, and the backend: what is killed, and whom it made promises. */
export class World {
  readonly folder: string
  readonly random: Random
  readonly backend: Backend
  readonly backups: Backups
  readonly devices: Device[] = []
  /** Called in the same breath in which a device is answered. */
  onAnswer: () => void = () => undefined
  readonly #tokens: ReadonlyMap<string, string>
  #server: ServerProcess

  private constructor(folder: string, seed: number, server: ServerProcess, tokens: ReadonlyMap<string, string>) {
    this.folder = folder
    this.random = new Random(seed)
    this.#server = server
    this.#tokens = tokens
    this.backend = new Backend(this.#nextRandom())
    this.backups = new Backups(folder)
  }

  static async open(folder: string, seed: number): Promise<World> {
    const server = await startServerProcess({ folder })
    try {
      return await World.#populated(folder, seed, server)
    } catch (error) {
      await server.kill()
      throw error
    }
  }

  static async #populated(folder: string, seed: number, server: ServerProcess): Promise<World> {
    const tokens = new Map<string, string>()
    for (const user of users) tokens.set(user, await issueToken(server, user))
    const world = new World(folder, seed, server, tokens)
    for (const user of users) {
      for (let number = 0; number < devicesPerUser; number++) world.devices.push(await world.openDevice(user, number))
    }
    return world
  }

  get server(): ServerProcess {
    return this.#server
  }

  /** Starts the server again, on the same folder and port. */
  async restart(): Promise<void> {
    this.#server = await startServerProcess({ folder: this.folder, port: Number(new URL(this.#server.url).port) })
  }

  /** A device with an empty database that has settled; without a number a visitor, which edits nothing. */
  async openDevice(user: string, number?: number): Promise<Device> {
    const device = await Device.open({
      url: this.#server.url.replace(/^http/, 'ws'),
      token: this.#tokens.get(user) as string,
      user,
      number,
      random: this.#nextRandom(),
      onAnswer: () => this.onAnswer(),
    })
    // What a device looks at it would else follow, and that is an edit that no ledger has.
    if (number === 0) await device.kith.enableAutoSyncContacts(false)
    await device.settle(AbortSignal.timeout(settlingMs))
    return device
  }

  async close(): Promise<void> {
    for (const device of this.devices) await device.close()
    await this.#server.stop()
  }

  /** At once, for a process that ends otherwise than it should: no server outlives it. */
  abandon(): void {
    this.#server.kill().catch(() => undefined)
  }

  /** Each has its own, so that one's pace doesn't change another's choices. */
  #nextRandom(): Random {
    return new Random(this.random.below(2 ** 32))
  }
}

async function issueToken(server: ServerProcess, user: string): Promise<string> {
  const response = await server.admin('POST', `/v1/users/${user}/tokens`, { expiresInSeconds: 30 * 86_400 })
  return ((await response.json()) as { token: string }).token
}
