import { type Audience, closeCodes, type Limits } from '@kith/shared'
import { encodeFrame } from '@kith/shared/wire'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { Accounts } from './accounts/accounts.ts'
import { Elsewhere } from './accounts/elsewhere.ts'
import type { Clock } from './clock.ts'
import type { Cluster } from './cluster.ts'
import { Documents } from './documents/documents.ts'
import { MergeThread } from './documents/merge-thread.ts'
import { createApi } from './http/api.ts'
import { createMetrics } from './metrics.ts'
import { PresenceElsewhere } from './presence/elsewhere.ts'
import { Presence } from './presence/presence.ts'
import { PresenceSubscriptions } from './presence/subscriptions.ts'
import type { UndeliveredMessage } from './relations/changes.ts'
import type { CommitListener } from './relations/commit.ts'
import type { Store } from './relations/store.ts'
import type { Saves } from './relay/difference.ts'
import { Relay } from './relay/relay.ts'
import { AnswerRoom } from './socket/answer-room.ts'
import type { Context } from './socket/context.ts'
import { DirectMessages } from './socket/direct-messages.ts'
import { Letters } from './socket/letters.ts'
import { OneAtATime } from './socket/one-at-a-time.ts'
import { RateLimits } from './socket/rate-limits.ts'
import { SignIns } from './socket/sign-in.ts'
import { mostUnfinishedBytes, UnfinishedFrames } from './socket/unfinished-frames.ts'
import { type TokenSettings, Tokens } from './tokens.ts'
import { Courier, type CourierOptions } from './webhooks/courier.ts'

export interface EngineOptions {
  store: Store
  tokens: TokenSettings
  adminKey: string
  /** Requests from this machine may read `/metrics` without the key. Set if no other requests can reach this server. */
  hasOpenMetrics?: boolean | undefined
  limits: Limits
  /** The widest audience that any user's messages have here; by default everyone. */
  messagePolicy?: Audience | undefined
  clock: Clock
  log: Logger
  /** Whether large documents are merged in a worker thread. */
  hasMergeThread?: boolean
  /** Delivers the events of the outbox. Absent if no events are written. */
  webhook?: Pick<CourierOptions, 'send' | 'room' | 'giveUpMs'> | undefined
  /** Present if other nodes share the store. The server closes it when it stops. */
  cluster?: Cluster | undefined
}

/** A whole server without a network. Callers sign in, and the backend calls its API. */
export interface Engine {
  readonly context: Context
  readonly signIns: SignIns
  readonly api: FastifyInstance
  isReady: boolean
  /** Resolves when other nodes, if there are any, know this node. */
  join(): Promise<void>
  /** Flushes, closes sockets with 1001, the API and the store. */
  close(): Promise<void>
}

/** Well below the 30 s after which a stock provider treats a silent connection as lost. */
const heartbeatMs = 15_000
/** Once an hour, a connected device gets its cursor, and its waiting follows are retried. */
const beatsPerHour = (60 * 60 * 1000) / heartbeatMs

/** Composes the server. This is the only place that names its concrete parts. `saves`: when a level is sent as a difference. */
export function assemble(options: EngineOptions, saves?: Saves): Engine {
  const { store, clock, log, limits } = options
  const relay = new Relay(store, saves)
  const subscriptions = new PresenceSubscriptions()
  const { cluster } = options
  const failed = (error: unknown): void =>
    log.warn({ err: error }, 'what other nodes should know could not be read or written')
  const elsewherePresence = cluster && new PresenceElsewhere({ ...cluster, subscriptions, clock, failed })
  const presence = new Presence({ store, subscriptions, clock, log, elsewhere: elsewherePresence })
  const courier = options.webhook && new Courier({ ...options.webhook, store, clock, log })
  const { node } = store
  const metrics = createMetrics({
    sessions: () => relay.sessionCount,
    takesChanges: () => store.refusal === undefined,
    webhook: courier && { counts: courier.counts, missed: () => options.webhook?.room.missed ?? 0 },
    node: node && {
      hasLease: () => store.lease.isCurrent(),
      lagMs: () => node.lagMs,
      conflicts: () => node.conflicts,
      isConfirmed: () => !node.isUnconfirmed,
    },
  })
  const thread = options.hasMergeThread ? new MergeThread({ clock, limits }) : undefined
  const documents = new Documents({ store, clock, limits, thread })
  const observer: CommitListener = {
    committed: commits => metrics.commits.inc(commits.length),
    refusing(refusal) {
      if (refusal) return log.error({ err: refusal.cause, reason: refusal.reason }, 'changes are refused')
      // A change that was reported to its session as failed may be on disk after all.
      documents.forgetAll()
      log.info('changes are taken again')
    },
    lost() {
      log.error('the history of the database is not the one that was served: all sessions end')
      documents.forgetAll()
      for (const session of signIns.sessions) session.close(closeCodes.unavailable, 'the history was lost')
    },
  }
  const accounts = new Accounts({
    store,
    documents,
    relayOwn: (...change) => relay.relayOwn(...change),
    outdate: (user, document, founder) => relay.outdate(user, document, founder),
  })
  // Each batch is reported in this order, after the store's own witness of what was acknowledged (`store/level/open.ts`). The
  // relay comes first: what it read before the batch is now outdated [V4], and presence relies on that.
  const elsewhere = new Elsewhere({
    ...{ store, accounts, documents, relay },
    endSessions: user => signIns.end(user),
    forget: user => presence.forget(user),
  })
  const listeners = [relay.listener, subscriptions.listener, elsewhere.listener, observer]
  const stops = listeners.map(listener => store.onCommit(listener))
  const tokens = new Tokens(options.tokens, clock, user => store.revocation(user))
  const letters = cluster && new Letters({ ...cluster, failed })
  const noteUndelivered = courier && ((message: UndeliveredMessage) => noted(store.commit(message), log))
  const messages = new DirectMessages({
    ...{ store, relay, limits, clock, letters, noteUndelivered },
    widest: options.messagePolicy,
  })
  const rates = new RateLimits(limits, clock)
  const answers = new AnswerRoom(relay, 2 * limits.rosterBytes)
  const openings = new OneAtATime()
  const unfinished: Context['unfinished'] = new UnfinishedFrames(4 * mostUnfinishedBytes(limits))
  const shared = { store, accounts, relay, presence, messages, tokens, rates, answers, unfinished, openings, elsewhere }
  const context: Context = { ...shared, limits, clock, log, metrics, stays: cluster?.stays }
  const signIns = new SignIns(context)
  const api = createApi(context, {
    adminKey: options.adminKey,
    hasOpenMetrics: options.hasOpenMetrics === true,
    isReady: () => engine.isReady,
    endSessions: user => signIns.end(user),
  })

  const heartbeat = encodeFrame({ type: 'awareness' })
  let beats = 0
  const stopBeating = clock.every(heartbeatMs, () => {
    beats++
    // One frame for all sessions. That the hour is over reveals nothing.
    const caughtUp = beats % beatsPerHour === 0 ? relay.caughtUp() : undefined
    for (const session of signIns.sessions) {
      session.beat(heartbeat)
      if (caughtUp) {
        session.feed?.sendCursor(caughtUp)
        session.waiting.retry()
      }
    }
    accounts.sweep()
    rates.sweep(user => relay.sessionsOf(user).size > 0)
  })

  const engine: Engine = {
    context,
    signIns,
    api,
    isReady: false,
    async join() {
      await elsewherePresence?.start()
      await cluster?.stays.start({
        localStay: user => ({ sessions: relay.sessionsOf(user).size, isOnline: presence.isOnline(user) }),
        localUsers: () => new Set([...relay.users, ...presence.users]),
        stirred: users => elsewherePresence?.stirred(users),
        died: users => presence.died(users),
        parted: users => presence.parted(users),
      })
      await courier?.start()
    },
    async close() {
      engine.isReady = false
      stopBeating()
      signIns.stopAccepting()
      await accounts.idle()
      signIns.closeAll()
      await accounts.idle()
      await presence.close()
      await courier?.close()
      await cluster?.stays.close()
      elsewherePresence?.close()
      await cluster?.bus.close()
      await thread?.close()
      await api.close()
      for (const stop of stops) stop()
      await store.close()
    },
  }
  return engine
}

/** An event that could not be written is lost. The sender gets the outcome nevertheless. */
async function noted(commit: Promise<unknown>, log: Logger): Promise<void> {
  await commit.catch((error: unknown) =>
    log.error({ err: error }, 'the event of an undelivered message was not written'),
  )
}
