import type { ContentLimits } from '@kith/shared'
import { IDBFactory } from 'fake-indexeddb'
import { Backend, secret } from './backend.ts'
import { WorldClock } from './clock.ts'
import { watchCrypto } from './crypto.ts'
import { Device, type Tab, type Written } from './device.ts'
import { Disk } from './disk.ts'
import { checkHoldings, type Look } from './holdings.ts'
import { HostileServer, type Hostility, type Truth } from './hostile-server.ts'
import { Judge, type Tell } from './judge.ts'
import { watchLiveQueries } from './live-queries.ts'
import { quiet, turns, watchLoop } from './loop.ts'
import { type Move, Network, type Wire } from './network.ts'
import { type KnownEdit, Record } from './record.ts'
import { type Expected, Scribe, saysSome } from './scribe.ts'
import { Seeded } from './seeded.ts'
import { Standstill } from './standstill.ts'

export interface WorldOptions {
  seed: number
  /** Bytes outstanding on a socket, where it shall be few [F2]. */
  outstandingBytes?: number
  /** Several tabs may have one device's database open. */
  hasTabs?: boolean
  tell?: Tell | undefined
}

/**
 * Server, devices, tabs, network, disks and clock in one process. What the engine does by itself is done at once; what
 * waits for the network, for a slow disk or for the clock waits until the world says so. Every choice comes from one seed,
 * nothing sleeps. What is wrong by the model is noted as it happens.
 */
export class World {
  readonly standstill: Standstill = new Standstill()
  readonly clock: WorldClock = new WorldClock(this.standstill)
  readonly randomness: Seeded
  readonly disk: Disk
  readonly backend: Backend
  readonly network: Network
  readonly record: Record
  readonly judge: Judge
  readonly devices: Device[] = []
  /** What is wrong, in words. */
  readonly wrong: string[] = []
  readonly #options: WorldOptions
  readonly #stops: (() => void)[] = []
  readonly scribe: Scribe
  #backup: (() => Promise<void>) | undefined
  /** From here on no account is erased. */
  hasLostStore = false
  /** Accounts that were erased after the backup, as often as they were. */
  #erasedSince: string[] = []
  /** As `#backup`, of the disk before anything was written. */
  #nothing: (() => Promise<void>) | undefined
  /** Devices to be looked at when all is quiet, since they said they have all. */
  readonly looks: Look[] = []
  /** Some server may have had a reason to refuse what these devices do. */
  mayRefuse = false
  #hostile: HostileServer | undefined
  /** Messages that a device took. */
  readonly taken = new Set<string>()

  private constructor(options: WorldOptions) {
    this.#options = options
    this.randomness = new Seeded(options.seed)
    const wrong = (what: string): void => void this.wrong.push(what)
    this.record = new Record(wrong, user => this.#isOfEnded(user))
    const position = (): number => this.backend.position
    this.judge = new Judge({ record: this.record, position, nowMs: () => this.clock.nowMs, wrong, tell: options.tell })
    this.scribe = new Scribe(this.record, this.judge, wrong, () => this.mayRefuse)
    this.disk = new Disk(this.randomness, {
      opened: () => this.judge.cursors.opened(),
      written: position => this.record.written(position),
    })
    this.backend = new Backend({
      disk: this.disk,
      clock: this.clock,
      limits: options.outstandingBytes === undefined ? {} : { outstandingBytes: options.outstandingBytes },
      watcher: {
        asked: change => this.record.asked(change),
        failed: change => this.record.failed(change),
        error: what => this.#noteError(what),
      },
    })
    this.network = new Network(
      this.judge,
      wire => this.#answer(wire),
      caller => (caller as Tab).device.isCut,
      caller => this.standstill.isOn(caller),
    )
  }

  static async begin(options: WorldOptions): Promise<World> {
    const world = new World(options)
    world.#stops.push(watchLoop(), await watchCrypto(secret), watchLiveQueries())
    world.#nothing = await world.#copyOfServer()
    await world.backend.start()
    await quiet()
    return world
  }

  /** Everything ends; the platform is as it was. */
  async end(): Promise<void> {
    for (const device of this.devices) device.kill()
    this.backend.kill()
    await quiet()
    for (const stop of this.#stops) stop()
  }

  /** A new device, with an empty database, not open yet. */
  device(user: string, name: string): Device {
    const device = new Device(user, name, {
      clock: this.clock,
      network: this.network,
      standstill: this.standstill,
      randomness: this.randomness,
      hasTabs: this.#options.hasTabs ?? false,
      token: owner => this.backend.token(owner),
      took: text => void this.taken.add(text),
      wrong: what => void this.wrong.push(what),
      erased: tab => this.#accountErased(tab),
      isAnnounced: owner => this.record.registeredAt.get(owner)?.isAnnounced ?? true,
    })
    this.devices.push(device)
    return device
  }

  /** Opens a device, or another tab of it. */
  async open(device: Device, connect = true): Promise<void> {
    await device.openTab(connect)
    await this.settle()
    // D1: what was safe on this device is there.
    if (device.tab) this.scribe.expectKept(device.tab)
  }

  get hasTabs(): boolean {
    return this.#options.hasTabs ?? false
  }

  /** A call of the backend's, which need not come to its end. */
  async ask(call: () => Promise<number>): Promise<void> {
    if (this.backend.isUp) call().catch(error => this.wrong.push(`the backend's call failed: ${String(error)} [S1]`))
    await this.settle()
  }

  /** The tab that acts stands still, and another one acts from here on. */
  async freeze(device: Device): Promise<void> {
    device.freeze()
    await this.settle()
  }

  async thaw(device: Device): Promise<void> {
    device.thaw()
    await this.settle()
  }

  async close(device: Device): Promise<void> {
    await this.thaw(device)
    const closed = device.close()
    await this.settle()
    await closed
  }

  /** The engine does what it does by itself; then what the devices wrote is told to the model. */
  async settle(expected?: Expected): Promise<void> {
    await quiet()
    for (const device of this.devices) for (const tab of device.tabs) this.scribe.take(tab, expected)
    for (const { name, tabs } of this.devices) {
      const isWrong = tabs.some(({ kith }) => kith?.status === 'synced' && kith.unsent > 0)
      if (isWrong) this.wrong.push(`a tab of ${name} says synced while something is unsent`)
    }
    for (const look of this.judge.arrivals.splice(0)) await checkHoldings(this.record, look, this.wrong)
    for (const look of this.looks.splice(0)) await checkHoldings(this.record, look, this.wrong)
  }

  /** One thing that waits happens: a frame arrives, or the disk answers. `false` when nothing waits. */
  async next(pick: number): Promise<boolean> {
    const moves = this.network.moves()
    const count = moves.length + this.disk.waiting
    if (count === 0) return false
    const choice = pick % count
    if (choice < moves.length) this.network.move(moves[choice] as Move)
    else this.disk.step(choice - moves.length)
    await this.settle()
    return true
  }

  /** Lets everything arrive that is on its way, until nothing is. */
  async flow(): Promise<void> {
    for (let steps = 0; await this.next(0); steps++) if (steps > 10_000) throw new Error('the network never rests')
  }

  /** Time passes; with `flows` the network works meanwhile. */
  async pass(ms: number, flows: boolean): Promise<void> {
    const untilMs = this.clock.nowMs + ms
    while (this.clock.step(untilMs)) {
      await this.settle()
      if (flows) await this.flow()
    }
  }

  /** The server is killed in the middle of whatever it does. What it had sent may still arrive. */
  async killServer(losesFrames: boolean): Promise<void> {
    this.backend.kill()
    this.record.killed()
    for (const wire of this.network.wires) {
      wire.silence('server')
      wire.up.length = 0
      if (losesFrames) wire.down.length = 0
      if (!wire.hasDeviceEnded) wire.down.push({ type: 'close', code: 1006, reason: '' })
    }
    await this.settle()
  }

  /** Copies the server's disk, for a later restoration. */
  async backUpServer(): Promise<void> {
    this.#backup = await this.#copyOfServer()
  }

  /** The server is killed, and starts again with what was on its disk once. Devices bring back what it lost. */
  async restoreServer(): Promise<void> {
    if (this.#backup) await this.#startAgainFrom(this.#backup)
  }

  /**
   * The server is killed, and starts again on an empty disk. Devices bring back what was theirs [D6]. Nothing happens once an
   * account was erased: a store that is lost forgets erasures, which no device can make up for [D7].
   */
  async loseServerStore(): Promise<void> {
    const wasErased = this.devices.some(({ user }) => this.record.incarnationOf(user) > 0)
    if (!this.#nothing || wasErased) return
    this.hasLostStore = true
    await this.#startAgainFrom(this.#nothing)
  }

  /** The server stops, and starts with these limits instead of the usual ones; devices hear of it when they come back. */
  async setLimits(limits: Partial<ContentLimits>): Promise<void> {
    if (Object.keys(limits).length > 0) this.mayRefuse = true
    this.backend.setLimits(limits)
    await this.restartServer(false)
  }

  /** All connections end, and devices that come back are answered by a server that lies, or by the true one again. */
  async setHostility(hostility: Hostility | undefined): Promise<void> {
    if (!hostility && !this.#hostile) return
    if (hostility) this.mayRefuse = true
    if (hostility) this.record.mayLose = true
    for (const wire of this.network.wires) {
      this.network.cut(wire, 'both')
      wire.isAnswered = true
    }
    const truthOf = (user: string): Truth => ({
      documents: this.record.documentsOnDisk(user),
      incarnation: this.record.nameOf(user),
    })
    this.#hostile = hostility && new HostileServer(hostility, truthOf)
    await this.settle()
  }

  #answer(wire: Wire): void {
    const { device } = wire.caller as Tab
    wire.isHostile = this.#hostile !== undefined
    if (wire.isHostile) device.liedTo++
    if (this.#hostile) this.#hostile.answer(wire)
    else this.backend.answer(wire)
  }

  async #copyOfServer(): Promise<() => Promise<void>> {
    const [entries, restore] = [await this.disk.backUp(), this.record.backUp()]
    const restoreCursors = this.judge.cursors.backUp(this.record.position)
    const erasures = new Map(this.devices.map(({ user }) => [user, this.record.incarnationOf(user)]))
    return async () => {
      const later = new Map(this.devices.map(({ user }) => [user, this.record.incarnationOf(user)]))
      await this.disk.restore(entries)
      restore()
      restoreCursors()
      this.#erasedSince = [...later].flatMap(([user, count]) =>
        Array<string>(Math.max(0, count - (erasures.get(user) ?? 0))).fill(user),
      )
    }
  }

  async #startAgainFrom(restore: () => Promise<void>): Promise<void> {
    this.record.mayLose = true
    await this.killServer(true)
    this.disk.heal()
    await restore()
    for (const device of this.devices) {
      device.isWhole = false
      device.forgetJoins()
    }
    await this.startServer()
    // What the operator is to do: accounts that were erased since the backup stand again.
    for (const user of this.#erasedSince.splice(0)) {
      await this.ask(() => this.backend.api('PUT', `/v1/users/${user}`))
      await this.ask(() => this.backend.api('DELETE', `/v1/users/${user}`))
    }
  }

  async startServer(): Promise<void> {
    if (this.backend.isUp) return
    // On a disk that fails it doesn't come up; the next attempt may.
    this.backend.start().catch(() => this.backend.kill())
    await this.settle()
  }

  /** SIGTERM, then perhaps `compact`, then a new start. */
  async restartServer(compacts: boolean): Promise<void> {
    if (!this.backend.isUp) await this.startServer()
    this.disk.heal()
    await this.settle()
    const stopped = this.backend.stop()
    await this.settle()
    await stopped
    if (compacts) {
      await this.backend.compact()
      await this.#expectNothingErased()
    }
    await this.startServer()
  }

  async #expectNothingErased(): Promise<void> {
    for (const value of await this.disk.inner.values().all()) {
      for (const one of this.judge.secretsIn(value)) {
        if (one.kind === 'field' && !this.judge.stands(one))
          this.wrong.push('something erased is on disk after compact [V5]')
      }
    }
  }

  /** A battery that ends, or one tab that crashes while others go on, a few turns of the loop from now. */
  async kill(device: Device, afterTurns: number, count: number = device.tabs.length): Promise<void> {
    if (device.tabs.length === 0) return
    await turns(afterTurns)
    const written = device.tabs.slice(0, count).map(tab => ({ ...tab.takeLast(), documents: tab.documents }))
    device.kill(count)
    await quiet()
    // What it wrote in this instant may be on its disk or not.
    const stored = await device.outbox()
    for (const { rows, promised, documents } of written) {
      const isStored = ({ update }: Written): boolean => stored.some(row => Buffer.from(row.update).equals(update))
      this.scribe.note(device, rows.filter(isStored), documents)
      const isSaid = (one: Written): boolean => isStored(one) || stored.some(row => saysSome(row, one))
      if (!promised.every(isSaid)) this.wrong.push(`${device.name} has lost what it said is saved [D1]`)
    }
    await this.settle()
  }

  async loseDatabase(device: Device): Promise<void> {
    device.kill()
    await this.settle()
    device.indexedDB = new IDBFactory()
    device.forget()
  }

  /** The device's database becomes a copy of what it was once; nothing happens when there is none. */
  async restoreDatabase(device: Device): Promise<void> {
    if (!device.backup) return
    device.kill()
    await this.settle()
    device.restore()
  }

  /** A tab has closed, since its account is no more; what its device had is gone with it [D7]. */
  #accountErased(tab: Tab): void {
    const { device } = tab
    if ((device.incarnation ?? -1) >= this.record.incarnationOf(device.user)) {
      this.wrong.push(`${device.name} was told that its account was erased, which it was not [D7]`)
    }
    device.tabs = device.tabs.filter(other => other !== tab)
    tab.kill()
    if (device.tabs.length === 0) device.forget()
  }

  /** Edits that a device holds which has synced with an incarnation of the user that is over. */
  #isOfEnded(user: string): (edit: KnownEdit) => boolean {
    const ended = this.devices.filter(
      device => device.user === user && (device.incarnation ?? Infinity) < this.record.incarnationOf(user),
    )
    return ({ id }) => ended.some(({ safe }) => safe.has(id))
  }

  #noteError(what: unknown): void {
    // A disk that fails is the world's doing.
    const text = String((what as { err?: unknown }).err ?? what)
    if (!text.includes('disk')) this.wrong.push(`the server logged ${text} [S1]`)
  }
}
