import type { AddressInfo } from 'node:net'
import type { Limits } from '@kith/shared'
import { encodeFrame } from '@kith/shared/wire'
import type { Logger } from 'pino'
import proxyAddress from 'proxy-addr'
import { Accounts } from './accounts/accounts.ts'
import { Documents } from './accounts/documents.ts'
import type { Clock } from './clock.ts'
import { createApi } from './http/api.ts'
import { createMetrics } from './metrics.ts'
import { Relay } from './relay/relay.ts'
import type { Context } from './socket/context.ts'
import { DirectMessages } from './socket/direct-messages.ts'
import { Rates } from './socket/rates.ts'
import { Upgrades } from './socket/upgrade.ts'
import type { Store } from './store/store.ts'
import { type TokenSettings, Tokens } from './tokens.ts'

export interface ServerOptions {
  store: Store
  host: string
  /** 0 takes any free port. */
  port: number
  tokens: TokenSettings
  adminKey: string
  limits: Limits
  /** Addresses or networks whose X-Forwarded-For is believed, as in `10.0.0.0/8`. */
  trustedProxies: readonly string[]
  clock: Clock
  log: Logger
}

export interface Server {
  /** As in `http://127.0.0.1:4180`. */
  readonly url: string
  /** A token for a user of this server. */
  issueToken(user: string, expiresInSeconds?: number): Promise<string>
  /** Stops accepting, flushes, closes sockets with 1001 and the store. Can be called twice. */
  close(): Promise<void>
}

/** Well below the 30 s after which a stock provider takes a silent connection for dead. */
const heartbeatMs = 15_000
/** Once an hour a device that stays is told how far it has read, and its waiting follows are looked at. */
const beatsPerHour = (60 * 60 * 1000) / heartbeatMs

/** Composes the server: the only place that names its concrete parts. Resolves when it listens. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { store, clock, log, limits } = options
  const relay = new Relay(store)
  const metrics = createMetrics(() => relay.sessionCount)
  const stopCounting = store.watch({ committed: commits => metrics.commits.inc(commits.length) })
  const tokens = new Tokens(options.tokens, clock, user => store.tokensRevokedAt(user))
  const accounts = new Accounts({
    store,
    documents: new Documents({ store, clock }),
    limits,
    relayOwn: (user, document, update, except) => relay.relayOwn(user, document, update, except),
  })
  const messages = new DirectMessages({ store, relay, limits, clock })
  const rates = new Rates(limits, clock)
  const context: Context = { store, accounts, relay, messages, tokens, rates, limits, clock, log, metrics }

  let isReady = false
  const trust = proxyAddress.compile([...options.trustedProxies])
  const upgrades = new Upgrades(context, request => proxyAddress(request, trust))
  const api = createApi(context, {
    adminKey: options.adminKey,
    isReady: () => isReady,
    endSessions: user => upgrades.end(user),
  })
  api.server.on('upgrade', (request, socket, head) => {
    upgrades.upgrade(request, socket, head).catch((error: unknown) => {
      log.error({ err: error }, 'an upgrade failed')
      socket.destroy()
    })
  })

  const heartbeat = encodeFrame({ type: 'awareness' })
  let beats = 0
  const stopBeating = clock.every(heartbeatMs, () => {
    beats++
    for (const session of upgrades.sessions) {
      session.beat(heartbeat)
      if (beats % beatsPerHour === 0) {
        session.feed?.tellCursor()
        session.waiting.retry()
      }
    }
    accounts.sweep()
    rates.sweep(user => relay.sessionsOf(user).size > 0)
  })

  await api.listen({ host: options.host, port: options.port })
  isReady = true

  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    isReady = false
    stopBeating()
    upgrades.stopAccepting()
    await accounts.idle()
    upgrades.closeAll()
    await accounts.idle()
    await api.close()
    relay.close()
    stopCounting()
    await store.close()
  }

  return {
    url: urlOf(options.host, api.server.address() as AddressInfo),
    issueToken: (user, expiresInSeconds) => tokens.issue(user, expiresInSeconds),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function urlOf(host: string, { port }: AddressInfo): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
