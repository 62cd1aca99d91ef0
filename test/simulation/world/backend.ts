import { type Change, type Commit, compact, type Store } from '@kith/server'
import { defaultLimits, type Limits } from '@kith/shared'
import { assemble, type Engine, storeOn } from '../../support/server-internals.ts'
import type { WorldClock } from './clock.ts'
import type { Disk } from './disk.ts'
import type { Wire } from './network.ts'

const adminKey = 'the admin key of the simulated world'
export const secret: Uint8Array = new TextEncoder().encode('a secret of the simulated world, long enough')
/** Short, so that tokens run out within a history. */
const tokenSeconds = 120

/** What the backend tells those who watch it. */
export interface BackendWatcher {
  /** The store was asked for a change, in this order. */
  asked(change: Change): void
  /** It was not written, and will not be. */
  failed(change: Change): void
  /** What was logged as an error. */
  error(what: unknown): void
}

/** The server's process: it starts, it may be killed at any moment, and it starts again on the same disk. */
export class Backend {
  limits: Limits
  readonly #usual: Limits
  readonly #disk: Disk
  readonly #clock: WorldClock
  readonly #watcher: BackendWatcher
  #process: object = {}
  #engine: Engine | undefined

  constructor(options: { disk: Disk; clock: WorldClock; limits: Partial<Limits>; watcher: BackendWatcher }) {
    this.#usual = { ...defaultLimits, ...options.limits }
    this.limits = this.#usual
    this.#disk = options.disk
    this.#clock = options.clock
    this.#watcher = options.watcher
  }

  get isUp(): boolean {
    return this.#engine !== undefined
  }

  get position(): number {
    return this.#engine?.context.store.position ?? 0
  }

  /** What the server takes from its next start on. */
  setLimits(limits: Partial<Limits>): void {
    this.limits = { ...this.#usual, ...limits }
  }

  async start(): Promise<void> {
    const process = this.#process
    const clock = this.#clock.of(process)
    const { limits } = this
    const store = this.#watched(await storeOn(this.#disk.mount(), { limits, clock }))
    if (process !== this.#process) return
    const log = loggerInto(error => this.#watcher.error(error))
    this.#engine = assemble({ store, tokens: { secret }, adminKey, limits, clock, log })
    this.#engine.isReady = true
  }

  /** As `kill -9` does: what is on disk stays, and nothing else. */
  kill(): void {
    this.#disk.powerOff()
    this.#clock.kill(this.#process)
    this.#process = {}
    this.#engine = undefined
  }

  /** As SIGTERM does. */
  async stop(): Promise<void> {
    const engine = this.#engine
    this.#engine = undefined
    await engine?.close()
    this.kill()
  }

  /** What `compact` does to the data folder of a server that is stopped [V5]. */
  async compact(): Promise<void> {
    await compact(this.#disk.mount())
  }

  /** A device calls. */
  answer(wire: Wire): void {
    const signIns = this.#engine?.signIns
    if (!signIns) return wire.endDevice(1006, '')
    const user = decodeURIComponent(new URL(wire.url).pathname.split('/').at(-1) ?? '')
    const address = `device ${wire.id}`
    const signIn = async (): Promise<void> => {
      const answer = await signIns.signIn({ user, protocols: wire.protocols, address })
      if (wire.hasDeviceEnded || wire.hasServerEnded || signIns !== this.#engine?.signIns) return wire.silence('server')
      wire.onopen?.(undefined as never)
      if ('code' in answer) signIns.refuse(wire.server, answer)
      else signIns.begin(wire.server, answer, address)
    }
    signIn().catch((error: unknown) => this.#watcher.error(error))
  }

  /** A token of the backend's own; it can be had while the server is down. */
  async token(user: string): Promise<string> {
    if (!this.#engine) throw new Error('the backend is down')
    return this.#engine.context.tokens.issue(user, tokenSeconds)
  }

  /** A call of the backend's API: its status. */
  async api(method: 'PUT' | 'DELETE' | 'POST', url: string, payload?: object): Promise<number> {
    const headers = { authorization: `Bearer ${adminKey}` }
    const answer = await this.#engine?.api.inject({ method, url, headers, ...(payload ? { payload } : {}) })
    return answer?.statusCode ?? 0
  }

  #watched(store: Store): Store {
    const commit = (change: Change): Promise<Commit> => {
      this.#watcher.asked(change)
      const done = store.commit(change)
      done.catch(() => this.#watcher.failed(change))
      return done
    }
    return new Proxy(store, {
      get: (target, name) => (name === 'commit' ? commit : Reflect.get(target, name, target)),
    })
  }
}

function loggerInto(failed: (what: unknown) => void): Parameters<typeof assemble>[0]['log'] {
  const ignore = (): void => undefined
  const logger: Record<string, unknown> = { debug: ignore, info: ignore, warn: ignore, trace: ignore, fatal: ignore }
  logger['error'] = failed
  logger['child'] = () => logger
  return logger as unknown as Parameters<typeof assemble>[0]['log']
}
