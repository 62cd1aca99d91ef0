import './compression.ts'
import { type Change, compact, type LevelDatabase } from '@kith/server'
import type { ContentLimits } from '@kith/shared'
import { IDBFactory } from 'fake-indexeddb'
import { storeOn } from '../../support/server-internals.ts'
import { Backend, type BackendCall, secret } from './backend.ts'
import { WorldClock } from './clock.ts'
import { Cluster } from './cluster.ts'
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

/** A server that receives SIGTERM stops within this time. */
const mostStopMs = 60_000

export interface WorldOptions {
  seed: number
  /** The limit for bytes outstanding on a socket, if it must be low [F2]. */
  outstandingBytes?: number
  /** Several tabs may have one device's database open. */
  hasTabs?: boolean
  /** How many servers share one database. Without it, one server has a disk. */
  nodes?: number | undefined
  tell?: Tell | undefined
}

/**
 * Server, devices, tabs, network, disks and clock in one process. Automatic work of the engine runs immediately. Work that
 * waits for the network, for a slow disk or for the clock waits until the world releases it. Every choice comes from one seed,
 * and nothing sleeps. Violations of the model are recorded as they happen.
 */
export class World {
  readonly standstill: Standstill = new Standstill()
  readonly clock: WorldClock = new WorldClock(this.standstill)
  readonly randomness: Seeded
  readonly disk: Disk
  /** Present if there are several servers. */
  readonly cluster: Cluster | undefined
  readonly #backend: Backend
  readonly network: Network
  readonly record: Record
  readonly judge: Judge
  readonly devices: Device[] = []
  /** The violations, in words. */
  readonly wrong: string[] = []
  readonly #options: WorldOptions
  readonly #stops: (() => void)[] = []
  readonly scribe: Scribe
  #backup: (() => Promise<void>) | undefined
  /** How often the database failed over and lost commits. */
  lossyFailOvers = 0
  /** From now on no account is erased. */
  hasLostStore = false
  /** Accounts that were erased after the backup, once per erasure. */
  #erasedSince: string[] = []
  /** As `#backup`, of the disk before anything was written. */
  #nothing: (() => Promise<void>) | undefined
  /** Devices to check when all is quiet, because they reported that they have everything. */
  readonly looks: Look[] = []
  /** Whether some server may have had a reason to refuse changes of these devices. */
  mayRefuse = false
  #hostile: HostileServer | undefined
  /** Messages that a device accepted. */
  readonly taken = new Set<string>()

  private constructor(options: WorldOptions) {
    this.#options = options
    this.randomness = new Seeded(options.seed)
    const wrong = (what: string): void => void this.wrong.push(what)
    this.record = new Record(wrong, user => this.#isOfEnded(user))
    this.judge = new Judge({
      record: this.record,
      position: wire => this.cluster?.positionAt(wire) ?? this.#backend.position,
      judgedAt: wire => this.cluster?.positionAt(wire) ?? this.record.position,
      isBehindLoss: wire => this.cluster?.isBehindLoss(wire) ?? false,
      incarnationOf: (user, name) => this.cluster?.incarnationOf(user, name) ?? this.record.incarnationOf(user),
      nowMs: () => this.clock.nowMs,
      wrong,
      tell: options.tell,
    })
    this.scribe = new Scribe(this.record, this.judge, wrong, () => this.mayRefuse)
    const opened = (): void => this.judge.cursors.opened()
    this.disk = new Disk(this.randomness, { opened, written: position => this.record.written(position) })
    const shared = {
      clock: this.clock,
      limits: options.outstandingBytes === undefined ? {} : { outstandingBytes: options.outstandingBytes },
    }
    const error = (what: unknown): void => this.#noteError(what)
    const answered = (call: BackendCall): void => this.judge.answered(call)
    this.#backend = new Backend({
      ...shared,
      open: async (clock, limits) => storeOn(this.disk.mount(), { limits, clock }),
      killed: () => this.disk.powerOff(),
      watcher: {
        error,
        answered,
        asked: change => this.record.asked(change),
        failed: change => this.record.failed(change),
      },
    })
    // The database reports which changes are written, and in which order.
    const ignore = (_change: Change): void => undefined
    this.cluster = options.nodes
      ? new Cluster({
          ...{ ...shared, count: options.nodes, opened, randomness: this.randomness, standstill: this.standstill },
          watcher: { error, answered, asked: ignore, failed: ignore },
          written: changes => this.record.wrote(changes),
        })
      : undefined
    this.network = new Network(
      this.judge,
      wire => this.#answer(wire),
      caller => (caller as Tab).device.isCut,
      caller => this.standstill.isOn(caller),
      wire => this.cluster?.holds(wire) ?? false,
    )
  }

  static async begin(options: WorldOptions): Promise<World> {
    const world = new World(options)
    world.#stops.push(watchLoop(), await watchCrypto(secret), watchLiveQueries())
    world.#nothing = await world.#copyOfServer()
    for (const backend of world.#backends) await backend.start()
    await quiet()
    return world
  }

  /** Ends everything, and restores the platform's functions. */
  async end(): Promise<void> {
    for (const device of this.devices) device.kill()
    for (const backend of this.#backends) backend.kill()
    await quiet()
    for (const stop of this.#stops) stop()
  }

  /** A server that answers the backend's calls. With several servers, a different one each time. */
  get backend(): Backend {
    return this.cluster?.any ?? this.#backend
  }

  get #backends(): readonly Backend[] {
    return this.cluster?.nodes.map(({ backend }) => backend) ?? [this.#backend]
  }

  /** The position that the running servers know; if none runs, the stored position. */
  get position(): number {
    if (this.cluster) return this.cluster.position
    return this.#backend.isUp ? this.#backend.position : this.record.position
  }

  /** The stored data, as `check` reads it. */
  async database(): Promise<LevelDatabase> {
    return this.cluster ? this.cluster.log.asLevel() : this.disk.inner
  }

  /** All writes and reads pass again. */
  healDatabase(): void {
    this.disk.heal()
    this.cluster?.heal()
  }

  /** Creates a device with an empty database. It is not open yet. */
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
      isAnnounced: owner => this.record.wereAnnounced.has(owner) || !this.record.registeredAt.has(owner),
    })
    this.devices.push(device)
    return device
  }

  /** Opens a device, or another tab of it. */
  async open(device: Device, connect = true): Promise<void> {
    await device.openTab(connect)
    await this.settle()
    // D1: data that was saved on this device is there.
    if (device.tab) this.scribe.expectKept(device.tab)
  }

  get hasTabs(): boolean {
    return this.#options.hasTabs ?? false
  }

  /** A call of the backend, which may never finish. */
  async ask(call: () => Promise<number>): Promise<void> {
    if (this.backend.isUp) call().catch(error => this.wrong.push(`the backend's call failed: ${String(error)} [S1]`))
    await this.settle()
  }

  /** A server refounds a document of a user. */
  async refound(user: string, document: 'roster' | 'profile'): Promise<void> {
    this.mayRefuse = true
    const { backend } = this
    await this.ask(() => backend.refound(user, document))
  }

  /** The acting tab freezes, and another one acts from now on. */
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

  /** Lets the engine finish its automatic work. Then reports to the model what the devices wrote. */
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

  /** Lets one waiting event happen: a frame arrives, or the disk responds. Returns `false` if nothing waits. */
  async next(pick: number): Promise<boolean> {
    const moves = this.network.moves()
    const onDisk = moves.length + this.disk.waiting
    const count = onDisk + (this.cluster?.waiting ?? 0)
    if (count === 0) return false
    const choice = pick % count
    if (choice < moves.length) this.network.move(moves[choice] as Move)
    else if (choice < onDisk) this.disk.step(choice - moves.length)
    else this.cluster?.step(choice - onDisk)
    await this.settle()
    return true
  }

  /** Delivers everything in flight, until nothing is left. */
  async flow(): Promise<void> {
    for (let steps = 0; await this.next(0); steps++) if (steps > 10_000) throw new Error('the network never rests')
  }

  /** Time passes. With `flows`, the network works meanwhile. */
  async pass(ms: number, flows: boolean): Promise<void> {
    const untilMs = this.clock.nowMs + ms
    while (this.clock.step(untilMs)) {
      await this.settle()
      if (flows) await this.flow()
    }
  }

  /** Kills every server in the middle of its work. Frames that it had sent may still arrive. */
  async killServer(losesFrames: boolean): Promise<void> {
    for (const backend of this.#backends) backend.kill()
    this.record.killed()
    this.#loseConnections(this.network.wires, losesFrames)
    await this.settle()
  }

  #loseConnections(wires: readonly Wire[], losesFrames: boolean): void {
    for (const wire of wires) {
      wire.silence('server')
      wire.up.length = 0
      if (losesFrames) wire.down.length = 0
      if (!wire.hasDeviceEnded) wire.down.push({ type: 'close', code: 1006, reason: '' })
    }
  }

  /** Kills one of several servers. */
  async killNode(index: number, losesFrames: boolean): Promise<void> {
    if (!this.cluster) return
    this.cluster.thaw(index)
    this.cluster.nodes[index]?.backend.kill()
    this.#loseConnections(this.cluster.wiresOf(index, this.network.wires), losesFrames)
    await this.settle()
  }

  /** One of several servers receives SIGTERM. Its devices connect elsewhere. */
  async stopNode(index: number): Promise<void> {
    const node = this.cluster?.nodes[index]
    if (!this.cluster || !node?.backend.isUp || this.cluster.isFrozen(node)) return
    node.backend.stop().catch(error => this.wrong.push(`a server did not stop: ${String(error)} [S1]`))
    await this.settle()
  }

  async startNode(index: number): Promise<void> {
    const backend = this.cluster?.nodes[index]?.backend
    if (!backend || backend.isUp) return
    await backend.start()
    await this.settle()
  }

  /** The device moves to another of several servers, in the middle of its work. */
  async moveDevice(device: Device, index: number): Promise<void> {
    this.cluster?.move(device, index)
    for (const wire of this.network.wires) if ((wire.caller as Tab).device === device) this.network.cut(wire, 'both')
    await this.settle()
  }

  /**
   * The database that several servers share fails over. All their connections to it are lost. If the failover `isLossy`, the
   * database returns to its state at the last backup.
   */
  async failOver(isLossy: boolean): Promise<void> {
    if (!this.cluster || (isLossy && !this.#backup)) return
    if (isLossy && this.#backup) await this.#goBack(this.#backup)
    if (isLossy) this.lossyFailOvers++
    this.cluster.log.open()
    await this.settle()
    if (isLossy) await this.#eraseAgain()
  }

  /** Copies the server's disk, for a later restoration. */
  async backUpServer(): Promise<void> {
    this.#backup = await this.#copyOfServer()
  }

  /** Kills the server, and starts it again with an earlier state of its disk. Devices bring back what it lost. */
  async restoreServer(): Promise<void> {
    if (this.#backup) await this.#startAgainFrom(this.#backup)
  }

  /**
   * Kills the server, and starts it again on an empty disk. Devices bring back their own data [D6]. Does nothing if an account
   * was erased before: a lost store forgets erasures, and no device can restore them [D7].
   */
  async loseServerStore(): Promise<void> {
    const wasErased = this.devices.some(({ user }) => this.record.incarnationOf(user) > 0)
    if (!this.#nothing || wasErased) return
    this.hasLostStore = true
    await this.#startAgainFrom(this.#nothing)
  }

  /**
   * Stops the server, and starts it with these limits instead of the defaults. Devices receive the limits when they reconnect.
   */
  async setLimits(limits: Partial<ContentLimits>): Promise<void> {
    if (Object.keys(limits).length > 0) this.mayRefuse = true
    for (const backend of this.#backends) backend.setLimits(limits)
    await this.restartServer(false)
  }

  /** Ends all connections. Devices that reconnect are answered by a lying server, or by the true one again. */
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
    else if (this.cluster) this.cluster.answer(wire)
    else this.#backend.answer(wire)
  }

  async #copyOfServer(): Promise<() => Promise<void>> {
    const [restoreData, restore] = [this.cluster?.log.copy() ?? (await this.disk.copy()), this.record.backUp()]
    const restoreCursors = this.judge.cursors.backUp(this.record.position)
    const erasures = new Map(this.devices.map(({ user }) => [user, this.record.incarnationOf(user)]))
    return async () => {
      const later = new Map(this.devices.map(({ user }) => [user, this.record.incarnationOf(user)]))
      await restoreData()
      restore()
      restoreCursors()
      this.judge.forget(this.record.position)
      this.#erasedSince = [...later].flatMap(([user, count]) =>
        Array<string>(Math.max(0, count - (erasures.get(user) ?? 0))).fill(user),
      )
    }
  }

  async #startAgainFrom(restore: () => Promise<void>): Promise<void> {
    await this.killServer(true)
    this.healDatabase()
    await this.#goBack(restore)
    this.cluster?.log.open()
    await this.startServer()
    await this.#eraseAgain()
  }

  async #goBack(restore: () => Promise<void>): Promise<void> {
    this.record.mayLose = true
    await restore()
    for (const device of this.devices) {
      device.isWhole = false
      device.forgetJoins()
    }
  }

  /** What the operator must do: erase the accounts again that were erased since the backup. */
  async #eraseAgain(): Promise<void> {
    for (const user of this.#erasedSince.splice(0)) {
      await this.ask(() => this.backend.api('PUT', `/v1/users/${user}`))
      await this.ask(() => this.backend.api('DELETE', `/v1/users/${user}`))
    }
  }

  async startServer(): Promise<void> {
    for (const backend of this.#backends) {
      // On a failing disk the server does not start. The next attempt may succeed.
      if (!backend.isUp) backend.start().catch(() => backend.kill())
    }
    await this.settle()
  }

  /** SIGTERM, then optionally `compact`, then a new start. */
  async restartServer(compacts: boolean): Promise<void> {
    await this.startServer()
    this.healDatabase()
    await this.settle()
    await this.#allStopped()
    if (compacts && !this.cluster) {
      await compact(this.disk.mount())
      await this.#expectNothingErased()
    }
    await this.startServer()
  }

  /** Several servers wait until the others have applied everything, which takes some time. */
  async #allStopped(): Promise<void> {
    let isDone = false
    const stopped = Promise.all(this.#backends.map(backend => backend.stop())).finally(() => {
      isDone = true
    })
    await this.settle()
    const untilMs = this.clock.nowMs + mostStopMs
    while (!isDone && this.clock.step(untilMs)) await this.settle()
    if (isDone) return void (await stopped)
    this.wrong.push('a server did not stop [S1]')
    for (const backend of this.#backends) backend.kill()
  }

  async #expectNothingErased(): Promise<void> {
    for (const value of await this.disk.inner.values().all()) {
      for (const one of this.judge.secretsIn(value)) {
        if (one.kind === 'field' && !this.judge.stands(one))
          this.wrong.push('something erased is on disk after compact [V5]')
      }
    }
  }

  /** A battery fails, or one tab crashes while others continue, a few turns of the loop from now. */
  async kill(device: Device, afterTurns: number, count: number = device.tabs.length): Promise<void> {
    if (device.tabs.length === 0) return
    await turns(afterTurns)
    const written = device.tabs.slice(0, count).map(tab => ({ ...tab.takeLast(), documents: tab.documents }))
    device.kill(count)
    await quiet()
    // What it wrote at this moment may or may not be on its disk.
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

  /** Replaces the device's database with a copy of its earlier state. Does nothing if there is no copy. */
  async restoreDatabase(device: Device): Promise<void> {
    if (!device.backup) return
    device.kill()
    await this.settle()
    device.restore()
  }

  /** A tab has closed because its account no longer exists. All data of its device is deleted [D7]. */
  #accountErased(tab: Tab): void {
    const { device } = tab
    if ((device.incarnation ?? -1) >= this.record.incarnationOf(device.user)) {
      this.wrong.push(`${device.name} was told that its account was erased, which it was not [D7]`)
    }
    device.tabs = device.tabs.filter(other => other !== tab)
    tab.kill()
    if (device.tabs.length === 0) device.forget()
  }

  /** Whether an edit is on a device that has synced with an ended incarnation of the user. */
  #isOfEnded(user: string): (edit: KnownEdit) => boolean {
    const ended = this.devices.filter(
      device => device.user === user && (device.incarnation ?? Infinity) < this.record.incarnationOf(user),
    )
    return ({ id }) => ended.some(({ safe }) => safe.has(id))
  }

  #noteError(what: unknown): void {
    // The world itself causes failures of a disk or a connection, and databases that go back.
    const text = String((what as { err?: unknown }).err ?? what)
    if (
      !/disk|connection was lost|the history of the database|the store is closing|not all nodes have applied|has lost its lease|no standby/.test(
        text,
      )
    )
      this.wrong.push(`the server logged ${text} [S1]`)
  }
}
