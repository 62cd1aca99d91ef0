import type { Change } from '@kith/server'
import type { Limits } from '@kith/shared'
import { isSameRun, openNodeStore } from '../../support/server-internals.ts'
import { Backend, type BackendWatcher } from './backend.ts'
import type { WorldClock } from './clock.ts'
import type { Tab } from './device.ts'
import { Link, type LinkFault } from './link.ts'
import type { Wire } from './network.ts'
import type { Seeded } from './seeded.ts'
import { SharedLog } from './shared-log.ts'
import type { Standstill } from './standstill.ts'

/** How often a node polls the log when it receives no notice of growth. Time passes in steps here. */
const pollMs = 1_000

/** One of several servers, and its connection to the database. */
interface Node {
  backend: Backend
  /** The link of the process that runs, or ran last. */
  link: Link | undefined
}

export interface ClusterOptions {
  count: number
  clock: WorldClock
  randomness: Seeded
  standstill: Standstill
  limits: Partial<Limits>
  watcher: BackendWatcher
  opened(): void
  written(changes: readonly Change[]): void
}

/**
 * Several nodes on one database. Each device has a node that it connects to. While that node is away, the device uses another
 * one.
 */
export class Cluster {
  readonly log: SharedLog
  readonly nodes: readonly Node[]
  readonly #options: ClusterOptions
  readonly #homes = new Map<object, number>()
  readonly #nodeOf = new WeakMap<Wire, Node>()

  constructor(options: ClusterOptions) {
    this.#options = options
    this.log = new SharedLog(() => options.clock.nowMs, {
      opened: () => options.opened(),
      written: changes => options.written(changes),
    })
    this.log.open()
    this.nodes = Array.from({ length: options.count }, () => this.#node())
  }

  #node(): Node {
    const { clock, randomness, limits, watcher } = this.#options
    const { log } = this
    const node: Node = {
      link: undefined,
      backend: new Backend({
        ...{ clock, limits, watcher },
        open: async (processClock, limitsNow) => {
          // The machine's monotonic clock, which started at some earlier time.
          const bootMs = Math.floor(randomness.fraction() * 1e9)
          const leaseClock = { ...processClock, elapsed: () => processClock.now() + bootMs }
          const link = new Link(log, processClock, randomness, what => this.#noticeAll(link, what))
          node.link = link
          // Users have few relations here. For some nodes, many of them exceed the queue.
          const sizes = randomness.fraction() < 0.5 ? { recordsInQueue: 5, recordsOfMedium: 10 } : undefined
          return openNodeStore({
            ...{ database: link, incarnations: log.incarnations, cursorKey: log.cursorKey },
            ...{ position: log.head, limits: limitsNow, clock: processClock, leaseClock, pollMs, sizes },
          })
        },
        killed: () => node.link?.kill(),
      }),
    }
    return node
  }

  #noticeAll(from: Link, what: 'written' | 'applied'): void {
    for (const { link } of this.nodes) if (link && link !== from) link.notice(what)
  }

  /** How many operations wait on all links. */
  get waiting(): number {
    return this.#links.reduce((sum, link) => sum + link.waiting, 0)
  }

  step(index: number): void {
    let left = index
    for (const link of this.#links) {
      if (left < link.waiting) return link.step(left)
      left -= link.waiting
    }
  }

  get #links(): Link[] {
    return this.nodes.flatMap(({ link }) => link ?? [])
  }

  /** All traffic passes again, and no node is frozen. */
  heal(): void {
    for (const [index, { link }] of this.nodes.entries()) {
      this.thaw(index)
      link?.heal()
    }
  }

  slow(index: number, isSlow: boolean): void {
    const link = this.nodes[index]?.link
    if (link) link.isSlow = isSlow
  }

  failNext(index: number, fault: LinkFault): void {
    this.nodes[index]?.link?.failNext(fault)
  }

  /** Freezes the node's process: everything that arrives for it waits. */
  freeze(index: number): void {
    const { backend, link } = this.nodes[index] as Node
    if (!backend.isUp || !link) return
    this.#options.standstill.begin(backend.process)
    link.isHeld = true
  }

  thaw(index: number): void {
    const { backend, link } = this.nodes[index] as Node
    this.#options.standstill.end(backend.process, () => 0)
    if (link) link.isHeld = false
  }

  isFrozen({ backend }: Node): boolean {
    return this.#options.standstill.isOn(backend.process)
  }

  /** Whether data for the server's end of a connection waits. */
  holds(wire: Wire): boolean {
    const node = this.#nodeOf.get(wire)
    return node !== undefined && this.isFrozen(node)
  }

  wiresOf(index: number, wires: readonly Wire[]): Wire[] {
    return wires.filter(wire => this.#nodeOf.get(wire) === this.nodes[index])
  }

  /** The device connects to this node from now on. */
  move(device: object, index: number): void {
    this.#homes.set(device, index)
  }

  /** The position that the node at the other end has reported. */
  positionAt(wire: Wire): number {
    return this.#nodeOf.get(wire)?.backend.position ?? 0
  }

  /**
   * Whether some node, or the node at the other end of `wire`, has reported commits that the database lost, and does not know
   * it yet.
   */
  isBehindLoss(wire?: Wire): boolean {
    const nodes = wire ? [this.#nodeOf.get(wire)] : this.nodes
    return nodes.some(node => node !== undefined && this.#isOfLost(node.backend))
  }

  #isOfLost({ run, position }: Backend): boolean {
    if (!run) return false
    const index = this.log.runs.findIndex(({ id }) => isSameRun(id, run))
    return index < 0 || (this.log.runs[index + 1]?.start ?? Number.POSITIVE_INFINITY) < position
  }

  /** The position that all running nodes have reported. */
  get position(): number {
    const positions = this.nodes.flatMap(({ backend }) => (backend.isUp ? [backend.position] : []))
    return positions.length > 0 ? Math.min(...positions) : this.log.head
  }

  answer(wire: Wire): void {
    const { device } = wire.caller as Tab
    const home = this.#homes.get(device) ?? this.#homes.size % this.nodes.length
    this.#homes.set(device, home)
    const inOrder = [...this.nodes.slice(home), ...this.nodes.slice(0, home)]
    const node = inOrder.find(one => one.backend.isUp && !this.isFrozen(one))
    if (!node) return wire.endDevice(1006, '')
    this.#nodeOf.set(wire, node)
    node.backend.answer(wire)
  }

  /** A running server, chosen at random; any server if none runs. */
  get any(): Backend {
    const up = this.nodes.filter(node => node.backend.isUp && !this.isFrozen(node))
    const among = up.length > 0 ? up : this.nodes
    return (among[Math.floor(this.#options.randomness.fraction() * among.length)] as Node).backend
  }

  /** The number of erasures before the incarnation of this name. */
  incarnationOf(user: string, name: Uint8Array): number | undefined {
    const { log } = this
    for (let erasures = log.state.erasures(user); erasures >= 0; erasures--) {
      if (Buffer.compare(log.incarnations.of(user, erasures), name) === 0) return erasures
    }
    return undefined
  }
}
