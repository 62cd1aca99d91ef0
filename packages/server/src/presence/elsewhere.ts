import type { Bus } from '../bus/bus.ts'
import { maxStirred } from '../bus/messages.ts'
import type { Clock } from '../clock.ts'
import type { Stays } from './stays.ts'
import type { PresenceSubscriptions } from './subscriptions.ts'

/** Changes of users' presence within this time are sent to the other nodes in one message. */
const gatheringMs = 50
/** How often the presence of all users that devices here watch is read again, because messages between nodes may be lost. */
const rereadMs = 30_000
/** The number of users in one read. */
const mostRead = 1_000

/** Connects the watches on this node with users on other nodes, and the watches on other nodes with users on this node. */
export class PresenceElsewhere {
  readonly stays: Stays
  readonly #bus: Bus
  readonly #subscriptions: PresenceSubscriptions
  readonly #clock: Clock
  readonly #failed: (error: unknown) => void
  /** Users that devices here watch and that were online on another node at the last read. */
  readonly #online: Set<string> = new Set()
  #stirred: Set<string> = new Set()
  #cancel: (() => void) | undefined
  #stop: () => void = () => undefined
  #rereading: Promise<void> | undefined

  constructor(options: {
    stays: Stays
    bus: Bus
    subscriptions: PresenceSubscriptions
    clock: Clock
    failed(error: unknown): void
  }) {
    this.stays = options.stays
    this.#bus = options.bus
    this.#subscriptions = options.subscriptions
    this.#clock = options.clock
    this.#failed = options.failed
  }

  async start(): Promise<void> {
    await this.#bus.subscribe('presence', message => {
      if (message.type === 'stir') for (const user of message.users) this.#subscriptions.stir(user)
    })
    this.#bus.onGap(() => this.#reread())
    this.#stop = this.#clock.every(rereadMs, () => this.#reread())
  }

  /** Returns those of the owners who are online on another node. */
  async online(owners: readonly string[]): Promise<ReadonlySet<string>> {
    const online = await this.stays.onlineElsewhere(owners)
    for (const owner of owners) {
      if (online.has(owner)) this.#online.add(owner)
      else this.#online.delete(owner)
    }
    return online
  }

  /** These users came online or went offline: on this node, or on one that ended. */
  stirred(users: readonly string[]): void {
    for (const user of users) this.#stirred.add(user)
    if (this.#stirred.size > 0) this.#cancel ??= this.#clock.after(gatheringMs, () => this.#publish())
  }

  /** Publishes the gathered changes. */
  close(): void {
    this.#stop()
    this.#cancel?.()
    this.#publish()
  }

  #publish(): void {
    this.#cancel = undefined
    const users = [...this.#stirred]
    this.#stirred = new Set()
    for (let start = 0; start < users.length; start += maxStirred) {
      this.#bus.publish('presence', { type: 'stir', users: users.slice(start, start + maxStirred) })
    }
  }

  #reread(): void {
    this.#rereading ??= this.#rereadAll()
      .catch(error => this.#failed(error))
      .finally(() => {
        this.#rereading = undefined
      })
  }

  async #rereadAll(): Promise<void> {
    await this.stays.again()
    const owners = [...this.#subscriptions.owners()]
    const watched = new Set(owners)
    for (const owner of this.#online) if (!watched.has(owner)) this.#online.delete(owner)
    for (let start = 0; start < owners.length; start += mostRead) {
      const some = owners.slice(start, start + mostRead)
      const before = some.map(owner => this.#online.has(owner))
      const online = await this.online(some)
      for (const [index, owner] of some.entries()) {
        if (before[index] !== online.has(owner)) this.#subscriptions.stir(owner)
      }
    }
  }
}
