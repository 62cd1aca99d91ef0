import { EventEmitter } from 'node:events'
import type { Store, VerifyToken } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { type CloseCode, defaultLimits, type Limits } from '@kith/shared'
import { type DeviceMessage, decodeFrame, encodeFrame, type ServerMessage } from '@kith/shared/wire'
import { onTestFinished } from 'vitest'
import { heldBack } from './held-back.ts'
import type { MemoryStays } from './memory-stays.ts'
import { assemble, type DeviceSocket, type Engine, LocalHub, openBus, Tokens } from './server-internals.ts'
import { faulty, newDatabase, storeOver } from './stores.ts'

const adminKey = 'the admin key of these tests'
const secret = new TextEncoder().encode('a secret of these tests, long enough')

/** A server without a network. A test can stop any of its reads and commits in the middle. */
export interface EngineWorld {
  readonly engine: Engine
  readonly store: Store
  readonly clock: TestClock
  readonly errors: readonly unknown[]
  failNextBatches(count: number): void
  /**
   * Holds the next call of this method after it has its result. Resolves at that point, to a function that releases the call.
   */
  hold(method: keyof Store): Promise<() => void>
  /** Signs in, and begins a session unless the sign-in is refused. */
  signIn(user: string, options?: { token?: string; address?: string }): Promise<Line>
  token(user: string): Promise<string>
  revoke(user: string): Promise<void>
  erase(user: string): Promise<void>
}

/** The device's end of a connection. */
export interface Line {
  /** The close code, once the server has closed the connection. */
  readonly code: CloseCode | undefined
  readonly frames: readonly ServerMessage[]
  send(message: DeviceMessage): void
  /** Breaks the connection. */
  drop(): void
}

/** `stays`: the stays of the other nodes, if this server is one of several. `verify`: how the app checks tokens itself. */
export async function engineWorld(
  limits: Partial<Limits> = {},
  stays?: MemoryStays,
  verify?: VerifyToken,
): Promise<EngineWorld> {
  const clock = new TestClock()
  const { database, failNextBatches } = faulty(await newDatabase('memory'))
  const gates = new Map<PropertyKey, (release: () => void) => void>()
  const inner = storeOver(database, clock, limits)
  const store = gated(inner, gates)
  // Reads for issuing a token are not held back.
  const issuer = new Tokens({ secret }, clock, user => inner.revocation(user))
  const errors: unknown[] = []
  const engine = assemble({
    ...{ store, adminKey, clock, cluster: stays && (await clusterWith(stays, clock)) },
    tokens: verify ? { verify } : { secret },
    limits: { ...defaultLimits, ...limits },
    log: loggerInto(errors),
  })
  onTestFinished(() => engine.close())
  await engine.join()
  const admin = async (method: 'POST' | 'DELETE', url: string): Promise<void> => {
    await engine.api.inject({ method, url, headers: { authorization: `Bearer ${adminKey}` } })
  }
  return {
    ...{ engine, store, clock, errors, failNextBatches },
    hold: method =>
      new Promise(resolve => {
        gates.set(method, resolve)
      }),
    async signIn(user, options = {}) {
      const { token = await issuer.issue(user), address = '127.0.0.1' } = options
      const signIn = await engine.signIns.signIn({ user, protocols: ['kith.v1', `bearer.${token}`], address })
      const end = new DeviceEnd()
      if ('code' in signIn) engine.signIns.refuse(end, signIn)
      else engine.signIns.begin(end, signIn, address)
      return end
    },
    token: user => issuer.issue(user),
    revoke: user => admin('POST', `/v1/users/${user}/sessions/revoke`),
    erase: user => admin('DELETE', `/v1/users/${user}`),
  }
}

async function clusterWith(stays: MemoryStays, clock: TestClock): Promise<Parameters<typeof assemble>[0]['cluster']> {
  const carrier = new LocalHub().carrier()
  const refused = (error: Error): never => {
    throw error
  }
  const bus = await openBus({ carrier, node: 'this node', key: new Uint8Array(32), clock, refused })
  return { bus, stays: stays.of(bus.node) }
}

/** Waits until everything has run that waits for neither a gate nor the clock. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await new Promise(resolve => setImmediate(resolve))
}

function gated(inner: Store, gates: Map<PropertyKey, (release: () => void) => void>): Store {
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const arrived = gates.get(name)
        if (!arrived) return value.apply(target, args)
        gates.delete(name)
        if (name === 'relationsOf') return heldBack(value.apply(target, args), () => new Promise(arrived))
        return (async () => {
          const result: unknown = await value.apply(target, args)
          await new Promise<void>(arrived)
          return result
        })()
      }
    },
  })
}

class DeviceEnd extends EventEmitter implements DeviceSocket, Line {
  readonly bufferedAmount = 0
  readonly frames: ServerMessage[] = []
  code: CloseCode | undefined

  send(frame: Uint8Array | DeviceMessage): void {
    if (!(frame instanceof Uint8Array)) this.emit('message', Buffer.from(encodeFrame(frame)), true)
    else if (this.code === undefined) this.frames.push(decodeFrame(frame) as ServerMessage)
  }

  pong(_data: Buffer): void {
    // A Kith device sends no pings.
  }

  ping(data: Buffer): void {
    this.emit('pong', data)
  }

  pause(): void {}

  resume(): void {}

  close(code: CloseCode): void {
    this.code ??= code
    this.emit('close')
  }

  terminate(): void {
    this.drop()
  }

  drop(): void {
    this.emit('close')
  }
}

function loggerInto(errors: unknown[]): Parameters<typeof assemble>[0]['log'] {
  const ignore = (): void => undefined
  const logger: Record<string, unknown> = { debug: ignore, info: ignore, warn: ignore, trace: ignore, fatal: ignore }
  logger['error'] = (what: unknown): void => void errors.push(what)
  return logger as unknown as Parameters<typeof assemble>[0]['log']
}
