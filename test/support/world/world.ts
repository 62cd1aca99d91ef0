import { check } from '@kith/server'
import { IDBFactory } from 'fake-indexeddb'
import { type Operation, plan } from '../model/plans.ts'
import { levelsSeen } from '../model/sight.ts'
import { act } from './act.ts'
import { Backend, secret } from './backend.ts'
import { WorldClock } from './clock.ts'
import { watchCrypto } from './crypto.ts'
import { Device, type Tab, type Written } from './device.ts'
import { Disk } from './disk.ts'
import { type Documents, factsOf } from './documents.ts'
import { changesText, factsOfChanges, sameChanges } from './facts-of-changes.ts'
import { checkHoldings, type Look } from './holdings.ts'
import { Judge, type Tell } from './judge.ts'
import { watchLiveQueries } from './live-queries.ts'
import { quiet, turns, watchLoop } from './loop.ts'
import { type Move, Network } from './network.ts'
import { Record } from './record.ts'
import { Seeded } from './seeded.ts'

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
  readonly clock: WorldClock = new WorldClock()
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
  /** Devices that said they have all. */
  readonly #looks: Look[] = []
  /** Messages that a device took. */
  readonly #taken = new Set<string>()

  private constructor(options: WorldOptions) {
    this.#options = options
    this.randomness = new Seeded(options.seed)
    const wrong = (what: string): void => void this.wrong.push(what)
    this.record = new Record(wrong)
    const position = (): number => this.backend.position
    this.judge = new Judge({ record: this.record, position, wrong, tell: options.tell })
    this.disk = new Disk(this.randomness, position => this.record.written(position))
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
      wire => this.backend.answer(wire),
      caller => (caller as Tab).device.isCut,
    )
  }

  static async begin(options: WorldOptions): Promise<World> {
    const world = new World(options)
    world.#stops.push(watchLoop(), await watchCrypto(secret), watchLiveQueries())
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
      randomness: this.randomness,
      hasTabs: this.#options.hasTabs ?? false,
      token: owner => this.backend.token(owner),
      took: text => void this.#taken.add(text),
      wrong: what => void this.wrong.push(what),
      registeredAt: owner => this.record.registeredAt.get(owner)?.position,
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
    const known = device.tab && this.record.included(device.user, documentsOf(device.tab))
    const lost = [...device.safe].filter(edit => !known?.some(({ id }) => id === edit))
    if (lost.length > 0) this.wrong.push(`${device.name} has lost ${lost.length} changes that it had saved [D1]`)
  }

  /** Lets a device do something, and compares with what the model says it must do [R3][R5]. */
  async operate(device: Device, operation: Operation): Promise<void> {
    const { tab } = device
    if (!tab?.kith) return
    // To look somebody up by `getProfile` is to meet them.
    if (operation.type === 'save' || operation.type === 'remove') {
      await this.operate(device, { type: 'meet', whom: operation.whom })
    }
    const wanted = plan(operation, factsOf(documentsOf(tab)))
    let state: unknown = 'never came to an end'
    act(tab.kith, operation).then(
      () => {
        state = undefined
      },
      (error: unknown) => {
        state = error
      },
    )
    await this.settle({ tab, wanted, operation })
    if (state !== undefined) this.wrong.push(`${device.name}: ${operation.type} ${String(state)} [D1]`)
  }

  get hasTabs(): boolean {
    return this.#options.hasTabs ?? false
  }

  /** Begins something on a device that may not come to its end. */
  begin(device: Device, operation: Operation): void {
    const { tab } = device
    if (!tab?.kith) return
    act(tab.kith, operation).then(
      () => {
        tab.promise()
      },
      () => undefined,
    )
  }

  /**
   * An app waits for `whenSynced`: once it resolves, all that was safe on the device before is on the server's disk [D2],
   * and all that the user might see then is here.
   */
  async promise(device: Device): Promise<void> {
    const { tab } = device
    if (!tab?.kith) return
    const { user } = device
    const before = [...device.safe]
    const incarnation = this.record.incarnationOf(user)
    const from = this.record.position
    tab.kith.whenSynced().then(
      () => {
        if (incarnation !== this.record.incarnationOf(user)) return
        this.#looks.push({ tab, from })
        const stored = new Set(this.record.includedOnDisk(user).map(({ id }) => id))
        if (!before.every(edit => stored.has(edit)))
          this.wrong.push(`${device.name}: whenSynced before all is on disk [D2][D3]`)
      },
      () => undefined,
    )
    await this.settle()
  }

  /** Sends a message that stands nowhere else; it is 'delivered' only if somebody took it. */
  async send(device: Device, to: string): Promise<void> {
    const text = this.judge.newSecret({ owner: device.user, kind: 'message', to })
    device.tab?.kith?.send(to, text).then(
      outcome => {
        if (outcome === 'delivered' && !this.#taken.has(text)) this.wrong.push(`nobody took what ${device.name} sent`)
      },
      () => undefined,
    )
    await this.settle()
  }

  /** A call of the backend's, which need not come to its end. */
  async ask(call: () => Promise<number>): Promise<void> {
    if (this.backend.isUp) call().catch(error => this.wrong.push(`the backend's call failed: ${String(error)} [S1]`))
    await this.settle()
  }

  async close(device: Device): Promise<void> {
    const closed = device.close()
    await this.settle()
    await closed
  }

  /** The engine does what it does by itself; then what the devices wrote is told to the model. */
  async settle(expected?: { tab: Tab; wanted: ReadonlyMap<string, unknown>; operation: Operation }): Promise<void> {
    await quiet()
    for (const device of this.devices) for (const tab of device.tabs) this.#takeWritten(tab, expected)
    for (const look of this.judge.arrivals.splice(0)) await checkHoldings(this.record, look, this.wrong)
    for (const look of this.#looks.splice(0)) await checkHoldings(this.record, look, this.wrong)
  }

  #takeWritten(tab: Tab, expected?: { tab: Tab; wanted: ReadonlyMap<string, unknown> }): void {
    if (!tab.kith) return
    const wanted = expected?.tab === tab ? expected.wanted : undefined
    const rows = tab.takeWritten()
    const documents = documentsOf(tab)
    this.#note(tab.device, rows, documents, wanted)
    if (rows.length > 0) this.record.judge(`on ${tab.device.name}`, tab.user, documents, factsOf(documents))
  }

  /** Tells the model what a device wrote, whose documents have it; `wanted`: what it was to write. */
  #note(device: Device, rows: readonly Written[], documents: Documents, wanted?: ReadonlyMap<string, unknown>): void {
    const after = factsOf(documents)
    if (wanted && wanted.size > 0 && rows.length === 0) {
      this.wrong.push(`${device.name} wrote nothing, and not ${changesText(wanted)} [R5]`)
    }
    // Each had seen what came before it, and not what comes after.
    for (const row of rows) {
      const changes = factsOfChanges(row.changes, after)
      if (wanted && (rows.length > 1 || !sameChanges(changes, wanted))) {
        this.wrong.push(`${device.name} wrote ${changesText(changes)}, and not ${changesText(wanted)} [R3][R5]`)
      }
      const edit = this.record.made(device.user, row, documents, changes)
      device.safe.add(edit.id)
      for (const value of changes.values()) {
        if (typeof value !== 'string') continue
        for (const one of this.judge.secretsIn(value)) one.edit = edit
      }
    }
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

  /** A battery that ends, a few turns of the loop from now. */
  async killDevice(device: Device, afterTurns: number): Promise<void> {
    if (device.tabs.length === 0) return
    await turns(afterTurns)
    const written = device.tabs.map(tab => ({ ...tab.takeLast(), documents: documentsOf(tab) }))
    device.kill()
    await this.settle()
    // What it wrote in this instant may be on its disk or not.
    const stored = await device.outbox()
    for (const { rows, promised, documents } of written) {
      const isStored = ({ update }: Written): boolean => stored.some(row => Buffer.from(row).equals(update))
      this.#note(device, rows.filter(isStored), documents)
      if (!promised.every(isStored)) this.wrong.push(`${device.name} has lost what it said is saved [D1]`)
    }
  }

  async loseDatabase(device: Device): Promise<void> {
    device.kill()
    await this.settle()
    device.indexedDB = new IDBFactory()
    device.forget()
  }

  /** The device's database becomes a copy of what it was once; `false` when there is none. */
  async restoreDatabase(device: Device): Promise<void> {
    if (!device.backup) return
    device.kill()
    await this.settle()
    device.indexedDB = device.backup
    device.backup = undefined
    device.forget()
  }

  /** All faults end, everyone comes back, and what is on its way arrives. */
  async heal(): Promise<void> {
    this.disk.heal()
    await this.settle()
    await this.startServer()
    for (const device of this.devices) {
      device.isCut = false
      if (!device.wasOpened) continue
      if (device.tabs.length === 0) await this.open(device)
      device.tab?.kith?.connect()
    }
    await this.settle()
    for (let round = 0; round < 12; round++) {
      await this.flow()
      await this.pass(round < 6 ? 5_000 : 60_000, true)
      await this.flow()
      if (this.#isAtRest) return
    }
    const late = this.devices.filter(device => !isAtRest(device))
    this.wrong.push(`never synced: ${late.map(({ name, tab }) => `${name} (${tab?.kith?.status})`).join(', ')} [F1]`)
  }

  get #isAtRest(): boolean {
    return this.devices.every(isAtRest)
  }

  /** What must hold at the end: devices of a user are equal, viewers hold what they may see, `check` finds nothing. */
  async expectAgreement(): Promise<void> {
    for (const device of this.devices) {
      const { tab } = device
      if (!tab?.kith) continue
      const facts = factsOf(documentsOf(tab))
      this.record.judge(`on ${device.name} at the end`, device.user, documentsOf(tab), facts)
      const stored = this.record.now.accounts.get(device.user)?.facts ?? new Map()
      if (!sameChanges(facts, stored)) {
        this.wrong.push(`${device.name} differs from the server: ${changesText(facts)} / ${changesText(stored)} [R1]`)
      }
      await checkHoldings(this.record, { tab, isEnd: true }, this.wrong)
      this.#expectJoins(device)
    }
    const { findings } = await check(this.disk.inner)
    for (const finding of findings) this.wrong.push(`check: ${JSON.stringify(finding)} [D4]`)
  }

  /** Whoever followed somebody when they joined, and has seen something of them ever since, was told [F3]. */
  #expectJoins(device: Device): void {
    for (const [owner, { position, isAnnounced }] of this.record.registeredAt) {
      if (!isAnnounced || !device.isWhole || (device.firstPosition ?? Infinity) >= position) continue
      const since = Array.from({ length: this.record.position - position + 1 }, (_, index) => position + index)
      const isFollower = since.every(at => {
        const moment = this.record.at(at)
        return (
          !moment ||
          (moment.accounts.get(device.user)?.facts.has(`follow ${owner}`) &&
            levelsSeen(moment, owner, device.user).size > 0)
        )
      })
      if (isFollower && !device.wasToldOf(owner))
        this.wrong.push(`${device.name} was not told that ${owner} joined [F3]`)
    }
  }

  #noteError(what: unknown): void {
    // A disk that fails is the world's doing.
    const text = String((what as { err?: unknown }).err ?? what)
    if (!text.includes('disk')) this.wrong.push(`the server logged ${text} [S1]`)
  }
}

function isAtRest({ wasOpened, tab }: Device): boolean {
  return !wasOpened || (tab?.kith?.status === 'synced' && tab.kith.unsent === 0)
}

function documentsOf({ kith }: Tab): Documents {
  if (!kith) throw new Error('a tab that is not open has no documents')
  const { roster, profile } = kith.internals.store.documents
  return { roster: roster.doc, profile: profile.doc }
}
