import { type Api, Backend } from './backend.ts'
import { Device } from './device.ts'
import { devicesPerUser, users } from './keys.ts'
import { Random } from './random.ts'

/** Longer than any device waits before it retries, on a busy machine. */
export const settlingMs = 60_000

export interface PopulationOptions {
  seed: number
  api: Api
  /** Returns the URL to which a device connects. */
  urlFor(user: string, number: number): string
  /** The number of backends. Each uses a server of its own. */
  backends: number
}

/** The devices of all users, and the app's backends: the recipients of a server's promises. */
export class Population {
  readonly random: Random
  readonly backends: readonly Backend[]
  readonly devices: Device[] = []
  /** Called in the same turn of the event loop in which a device receives an answer. */
  onAnswer: () => void = () => undefined
  readonly #options: PopulationOptions
  readonly #tokens: ReadonlyMap<string, string>

  private constructor(options: PopulationOptions, tokens: ReadonlyMap<string, string>) {
    this.random = new Random(options.seed)
    this.#options = options
    this.#tokens = tokens
    const count = options.backends
    this.backends = Array.from({ length: count }, (_, index) => new Backend(this.nextRandom(), { index, count }))
  }

  /** Resolves when all devices are open and have settled. */
  static async open(options: PopulationOptions): Promise<Population> {
    const tokens = new Map<string, string>()
    for (const user of users) tokens.set(user, await issueToken(options.api, user))
    const population = new Population(options, tokens)
    for (const user of users) {
      for (let number = 0; number < devicesPerUser; number++) {
        population.devices.push(await population.openDevice(user, number))
      }
    }
    return population
  }

  /**
   * Opens a device with an empty database. Resolves when it has settled. Without a number it is a visitor, which edits nothing.
   */
  async openDevice(user: string, number?: number): Promise<Device> {
    const device = await Device.open({
      url: this.#options.urlFor(user, number ?? this.random.below(devicesPerUser)),
      token: this.#tokens.get(user) as string,
      user,
      number,
      random: this.nextRandom(),
      onAnswer: () => this.onAnswer(),
    })
    // Otherwise the device would follow each profile that it accesses. Such a follow is an edit that no ledger contains.
    if (number === 0) await device.kith.enableAutoSyncContacts(false)
    await device.settle(AbortSignal.timeout(settlingMs))
    return device
  }

  /** Returns how many edits and promises there were so far. */
  get counts(): { edits: number; answers: number; backend: number } {
    const { devices, backends } = this
    return {
      edits: devices.reduce((sum, { ledger }) => sum + ledger.count, 0),
      answers: devices.reduce((sum, { answers }) => sum + answers, 0),
      backend: backends.reduce((sum, { ledger }) => sum + ledger.acknowledged, 0),
    }
  }

  async close(): Promise<void> {
    for (const device of this.devices) await device.close()
  }

  /** Each part has a generator of its own, so that the speed of one part does not change the choices of another. */
  nextRandom(): Random {
    return new Random(this.random.below(2 ** 32))
  }
}

export async function issueToken(api: Api, user: string): Promise<string> {
  const response = await api.admin('POST', `/v1/users/${user}/tokens`, { expiresInSeconds: 30 * 86_400 })
  return ((await response.json()) as { token: string }).token
}
