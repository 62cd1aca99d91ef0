import type { KithError } from '@kith/shared'
import type { Clock } from '../clock.ts'
import type { DeviceStore } from '../database/store.ts'
import { deliveryMs } from '../sync/direct-messages.ts'
import type { Delivery } from '../sync/port.ts'
import { type Reply, type Request, serve, takeWishes } from './requests.ts'
import type { OwnLink } from './shared-link-port.ts'
import { steppedDown } from './stepped-down.ts'

interface LeadingPort {
  readonly store: DeviceStore
  readonly clock: Clock
  readonly own: OwnLink
  /** This tab, from when it took over. */
  readonly term: string
  failed(error: unknown): KithError
}

/** Nobody waits any longer for what was asked so long ago, or so long in the future by a clock that was set, in milliseconds. */
const lateMs = 15_000
/** How long before the time of a message is up a tab takes it back, in milliseconds. */
export const takingBackMs = 500
/** What is done however late. */
const patient: readonly Request['type'][] = ['connect', 'disconnect', 'whenSynced']

/** A tab while it has the socket: its own connection, and what it does of what tabs ask. */
export class Leading {
  readonly own: OwnLink
  readonly #port: LeadingPort
  #stopServing: () => void = () => undefined
  #isOver = false

  constructor(port: LeadingPort) {
    this.#port = port
    this.own = port.own
  }

  /** Resolves to whether the app wants to be connected, or to `undefined` when this is over. */
  async begin(): Promise<boolean | undefined> {
    const { store, term } = this.#port
    const isWanted = await store.use(db => takeWishes(db, term))
    return this.#isOver ? undefined : isWanted
  }

  /** Does what tabs ask, until this is over. */
  serve(): void {
    const { store, clock, term } = this.#port
    this.#stopServing = serve(store, {
      term,
      handle: (request, askedAt) => this.handle(request, askedAt),
      isLate: ({ type }, askedAt) => !patient.includes(type) && Math.abs(clock.now() - askedAt) > lateMs,
      failed: error => this.#port.failed(error),
    })
  }

  async handle(request: Request, askedAt: number): Promise<Reply> {
    switch (request.type) {
      case 'connect':
        this.own.connect()
        return undefined
      case 'disconnect':
        this.own.disconnect()
        return undefined
      case 'fetch':
        await this.own.fetch(request.owner)
        return undefined
      case 'send':
        return this.#sendInTime(request, askedAt)
      case 'whenSynced':
        await this.own.whenSynced(undefined)
        return undefined
    }
  }

  async send(to: string, text: string, limitMs: number): Promise<Delivery> {
    try {
      return await this.own.send(to, text, limitMs)
    } catch (error) {
      if (error !== steppedDown) throw error
      return 'undelivered' // It was not handed to a socket.
    }
  }

  /** Leaves what was begun and not answered to the next holder. */
  stop(): void {
    this.#isOver = true
    this.#stopServing()
  }

  /** The message is answered a little before the tab that asked no longer waits for it. */
  async #sendInTime({ to, text }: { to: string; text: string }, askedAt: number): Promise<Delivery> {
    const leftMs = deliveryMs - 2 * takingBackMs - Math.max(0, this.#port.clock.now() - askedAt)
    return leftMs > 0 ? this.send(to, text, leftMs) : 'undelivered'
  }
}
