import { execFile } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import { promisify } from 'node:util'
import { type ServerProcess, serverProgram, startServerProcess } from '@kith/bench/server-process'
import { disagreements } from './agreement.ts'
import { Backend } from './backend.ts'
import { Device } from './device.ts'
import { startAndKill } from './half-starts.ts'
import { harm } from './harm.ts'
import { devicesPerUser, users, writerOf } from './keys.ts'
import { killAt, type Moment, pickMoment } from './moments.ts'
import { Random } from './random.ts'
import { examine, type Found } from './stored.ts'

/** A promise that was not kept. */
export class Breach extends Error {}

/** What one round saw. */
export interface Round {
  moment: Moment
  'killed while starting': number
  'killed while compacting': number
  'harmed and refused': number
  'harmed in vain': number
  'edits made': number
  'promises to devices': number
  'changes promised to the backend': number
  'writers whose promises were checked': number
  'runs of the check command': number
  'new devices': number
}

/** Longer than any device rests before it tries again, on a busy machine. */
const settlingMs = 60_000
const commandEvery = 50

/** A server, the devices of its users, and the backend: what is killed, and what is promised. */
export class World {
  readonly #folder: string
  readonly #random: Random
  readonly #tokens: ReadonlyMap<string, string>
  readonly #port: number
  readonly #devices: Device[] = []
  readonly #backend: Backend
  #server: ServerProcess
  #rounds = 0
  #onAnswer: () => void = () => undefined

  private constructor(folder: string, random: Random, server: ServerProcess, tokens: ReadonlyMap<string, string>) {
    this.#folder = folder
    this.#random = random
    this.#server = server
    this.#tokens = tokens
    this.#port = Number(new URL(server.url).port)
    this.#backend = new Backend(this.#nextRandom())
  }

  static async open(folder: string, seed: number): Promise<World> {
    const server = await startServerProcess({ folder })
    const tokens = new Map<string, string>()
    for (const user of users) tokens.set(user, await issueToken(server, user))
    const world = new World(folder, new Random(seed), server, tokens)
    for (const user of users) {
      for (let number = 0; number < devicesPerUser; number++) {
        const device = await world.#openDevice(user, number)
        // What a device looks at it would else follow, and that is an edit that no ledger has.
        if (number === 0) await device.kith.enableAutoSyncContacts(false)
        await device.settle(AbortSignal.timeout(settlingMs))
        world.#devices.push(device)
      }
    }
    return world
  }

  /** Load, a kill, and a look at what is left. Throws a {@link Breach}. */
  async round(): Promise<Round> {
    const moment = pickMoment(this.#random)
    const before = this.#counts()
    await this.#killUnderLoad(moment)
    const halfStarts = await this.#killStarts()
    await this.#examine()
    const harmed = await this.#harm()
    const commands = ++this.#rounds % commandEvery === 0 ? await this.#runCheck() : 0
    this.#server = await startServerProcess({ folder: this.#folder, port: this.#port })
    await this.#askBackend()
    const newDevices = await this.#settle()
    const after = this.#counts()
    return {
      moment,
      ...halfStarts,
      ...harmed,
      'edits made': after.edits - before.edits,
      'promises to devices': after.answers - before.answers,
      'changes promised to the backend': after.backend - before.backend,
      'writers whose promises were checked': this.#devices.length + 1,
      'runs of the check command': commands,
      'new devices': newDevices,
    }
  }

  async close(): Promise<void> {
    for (const device of this.#devices) await device.close()
    await this.#server.stop()
  }

  async #killUnderLoad(moment: Moment): Promise<void> {
    const stop = new AbortController()
    const lives = Promise.all([
      ...this.#devices.map(device => device.live(stop.signal)),
      this.#backend.live(this.#server, stop.signal),
    ])
    const killed = killAt(moment, {
      server: this.#server,
      folder: this.#folder,
      random: this.#random,
      onNextAnswer: callback => {
        this.#onAnswer = callback
      },
    })
    await Promise.race([killed, lives.then(() => killed)])
    this.#onAnswer = () => undefined
    stop.abort()
    await lives
  }

  /** Recovery is interrupted too, now and then more than once. */
  async #killStarts(): Promise<Pick<Round, 'killed while starting' | 'killed while compacting'>> {
    const killed = { 'killed while starting': 0, 'killed while compacting': 0 }
    while (this.#random.fraction() < 0.15) {
      await startAndKill('serve', this.#folder, this.#random.between(150, 600))
      killed['killed while starting']++
    }
    if (this.#random.fraction() < 0.05) {
      await startAndKill('compact', this.#folder, this.#random.between(150, 500))
      killed['killed while compacting']++
    }
    return killed
  }

  /** [D2][D3][D4] What every device was promised stands in the folder, and `check` finds no difference. */
  async #examine(): Promise<void> {
    const found = await examine(this.#folder)
    expectNothing(found.state === 'refused' ? found.why : this.#breaches(found))
  }

  /** A copy of the folder with one file harmed is refused, or holds everything all the same. */
  async #harm(): Promise<Pick<Round, 'harmed and refused' | 'harmed in vain'>> {
    let how = ''
    const found = await examine(this.#folder, copy => {
      how = harm(this.#random, copy)
    })
    if (found.state === 'refused') return { 'harmed and refused': 1, 'harmed in vain': 0 }
    expectNothing(this.#breaches(found).map(breach => `served although harmed (${how}): ${breach}`))
    return { 'harmed and refused': 0, 'harmed in vain': 1 }
  }

  #breaches({ findings, states }: Found & { state: 'served' }): string[] {
    const breaches = this.#devices.map(({ user, ledger }, index) => {
      const own = [...(states.get(user) ?? [])].filter(([key]) => writerOf(user, key) === index % devicesPerUser)
      return ledger.breach(new Map(own)) ?? ''
    })
    return [...findings, ...breaches].filter(text => text !== '')
  }

  async #askBackend(): Promise<void> {
    expectNothing([this.#backend.ledger.breach(await this.#backend.found(this.#server)) ?? ''])
    // What was not answered is settled now: found or not, it stays so.
    this.#backend.ledger.settle(await this.#backend.found(this.#server))
  }

  /** Everyone comes back and arrives at the same, a device with an empty database too. */
  async #settle(): Promise<number> {
    const visitors = this.#random.fraction() < 0.3 ? [await this.#openDevice(this.#random.pick(users), undefined)] : []
    const devices = [...this.#devices, ...visitors]
    const patience = AbortSignal.timeout(settlingMs)
    setMaxListeners(0, patience)
    try {
      for (let round = 0; round < 2; round++) await Promise.all(devices.map(device => device.settle(patience)))
    } catch (error) {
      const unsettled = devices.filter(({ kith }) => kith.status !== 'synced').map(({ ledger }) => ledger.writer)
      throw new Breach(`not everyone came back: ${unsettled.join(', ')} (${String(error)})`)
    }
    expectNothing(await disagreements(this.#server, devices))
    for (const visitor of visitors) await visitor.close()
    return visitors.length
  }

  /** The command itself, on the folder itself. */
  async #runCheck(): Promise<number> {
    const run = promisify(execFile)(process.execPath, [serverProgram, 'check', '--data', this.#folder])
    const { stdout } = await run.catch((error: { stdout: string }) => {
      throw new Breach(`the command check failed: ${error.stdout}`)
    })
    if (!stdout.includes(' 0 differences')) throw new Breach(stdout)
    return 1
  }

  #openDevice(user: string, number: number | undefined): Promise<Device> {
    return Device.open({
      url: this.#server.url.replace(/^http/, 'ws'),
      token: this.#tokens.get(user) as string,
      user,
      number,
      random: this.#nextRandom(),
      onAnswer: () => this.#onAnswer(),
    })
  }

  /** Each has its own, so that one's pace doesn't change another's choices. */
  #nextRandom(): Random {
    return new Random(this.#random.below(2 ** 32))
  }

  #counts(): { edits: number; answers: number; backend: number } {
    const sum = (count: (device: Device) => number): number =>
      this.#devices.reduce((total, device) => total + count(device), 0)
    return {
      edits: sum(({ ledger }) => ledger.count),
      answers: sum(({ answers }) => answers),
      backend: this.#backend.ledger.acknowledged,
    }
  }
}

function expectNothing(wrong: readonly string[]): void {
  const said = wrong.filter(text => text !== '')
  if (said.length > 0) throw new Breach(said.join('\n'))
}

async function issueToken(server: ServerProcess, user: string): Promise<string> {
  const response = await server.admin('POST', `/v1/users/${user}/tokens`, { expiresInSeconds: 30 * 86_400 })
  return ((await response.json()) as { token: string }).token
}
