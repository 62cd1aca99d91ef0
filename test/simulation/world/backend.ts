import type { Change, Clock, Commit, Store } from '@kith/server'
import { defaultLimits, type Limits } from '@kith/shared'
import { assemble, type Engine } from '../../support/server-internals.ts'
import type { WorldClock } from './clock.ts'
import type { Wire } from './network.ts'

const adminKey = 'the admin key of the simulated world'
export const secret: Uint8Array = new TextEncoder().encode('a secret of the simulated world, long enough')
/** Short, so that tokens expire within a history. */
const tokenSeconds = 120

/** A call of the backend's API. */
export interface BackendCall {
  method: 'PUT' | 'DELETE' | 'POST'
  path: string
  /** When the call was made. */
  askedAtMs: number
}

/** The notifications to observers of the backend. */
export interface BackendWatcher {
  /** The store received a change, in this order. */
  asked(change: Change): void
  /** The change was not written, and will not be. */
  failed(change: Change): void
  /** A call of the API was answered, and not refused. */
  answered(call: BackendCall): void
  /** An error was logged. */
  error(what: unknown): void
}

export interface BackendOptions {
  /** Opens the store for a process that starts. */
  open(clock: Clock, limits: Limits): Promise<Store>
  /** The process was killed: none of its pending operations completes. */
  killed(): void
  clock: WorldClock
  limits: Partial<Limits>
  watcher: BackendWatcher
}

/** A server's process. It starts, may be killed at any moment, and starts again on the stored data. */
export class Backend {
  limits: Limits
  readonly #usual: Limits
  readonly #options: BackendOptions
  #process: object = {}
  #engine: Engine | undefined
  /** The engine that is stopping: it accepts nothing more, and completes its required deliveries. */
  #stopping: Engine | undefined

  constructor(options: BackendOptions) {
    this.#usual = { ...defaultLimits, ...options.limits }
    this.limits = this.#usual
    this.#options = options
  }

  /** The owner of the timers of the running process. */
  get process(): object {
    return this.#process
  }

  get isUp(): boolean {
    return this.#engine !== undefined
  }

  get position(): number {
    return (this.#engine ?? this.#stopping)?.context.store.position ?? 0
  }

  /** The run of the store in which the position counts. */
  get run(): Uint8Array | undefined {
    return (this.#engine ?? this.#stopping)?.context.store.run
  }

  /** Sets limits that apply from the server's next start on. */
  setLimits(limits: Partial<Limits>): void {
    this.limits = { ...this.#usual, ...limits }
  }

  async start(): Promise<void> {
    if (this.#stopping) this.kill()
    const process = this.#process
    const clock = this.#options.clock.of(process)
    const { limits } = this
    const store = this.#watched(await this.#options.open(clock, limits))
    if (process !== this.#process) return
    const log = loggerInto(error => this.#options.watcher.error(error))
    // Levels are small here. Changes of any of them are sent as a difference wherever possible.
    this.#engine = assemble({ store, tokens: { secret }, adminKey, limits, clock, log }, () => true)
    this.#engine.isReady = true
  }

  /** As `kill -9` does: only stored data remains. */
  kill(): void {
    this.#options.killed()
    this.#options.clock.kill(this.#process)
    this.#process = {}
    this.#engine = undefined
    this.#stopping = undefined
  }

  /** As SIGTERM does. */
  async stop(): Promise<void> {
    const [engine, process] = [this.#engine, this.#process]
    this.#engine = undefined
    this.#stopping = engine
    await engine?.close()
    if (process === this.#process) this.kill()
  }

  /** Accepts a device's connection. */
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
    signIn().catch((error: unknown) => this.#options.watcher.error(error))
  }

  /** Returns a token from the backend itself, which is also available while the server is down. */
  async token(user: string): Promise<string> {
    if (!this.#engine) throw new Error('the backend is down')
    return this.#engine.context.tokens.issue(user, tokenSeconds)
  }

  /** Calls the backend's API. Resolves to the status. */
  async api(method: BackendCall['method'], url: string, payload?: object): Promise<number> {
    const askedAtMs = this.#options.clock.nowMs
    const headers = { authorization: `Bearer ${adminKey}` }
    const answer = await this.#engine?.api.inject({ method, url, headers, ...(payload ? { payload } : {}) })
    const status = answer?.statusCode ?? 0
    if (status >= 200 && status < 300) this.#options.watcher.answered({ method, path: url, askedAtMs })
    return status
  }

  /** Refounds a document of a user. */
  async refound(user: string, document: 'roster' | 'profile'): Promise<number> {
    await this.#engine?.context.accounts.refound(user, document).catch(() => undefined)
    return 0
  }

  #watched(store: Store): Store {
    const commit = (change: Change): Promise<Commit> => {
      this.#options.watcher.asked(change)
      const done = store.commit(change)
      done.catch(() => this.#options.watcher.failed(change))
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
