import type { Limits } from '@kith/shared'
import type { Logger } from 'pino'
import type { Accounts } from '../accounts/accounts.ts'
import type { Elsewhere } from '../accounts/elsewhere.ts'
import type { Clock } from '../clock.ts'
import type { Metrics } from '../metrics.ts'
import type { Presence } from '../presence/presence.ts'
import type { Stays } from '../presence/stays.ts'
import type { Store } from '../relations/store.ts'
import type { Relay } from '../relay/relay.ts'
import type { Tokens } from '../tokens.ts'
import type { AnswerRoom } from './answer-room.ts'
import type { DirectMessages } from './direct-messages.ts'
import type { OneAtATime } from './one-at-a-time.ts'
import type { RateLimits } from './rate-limits.ts'
import type { UnfinishedFrames } from './unfinished-frames.ts'

/** The parts that all sessions share. */
export interface Context {
  store: Store
  accounts: Accounts
  relay: Relay
  presence: Presence
  /** Absent if there are no other nodes. */
  stays?: Stays | undefined
  messages: DirectMessages
  tokens: Tokens
  rates: RateLimits
  answers: AnswerRoom
  unfinished: UnfinishedFrames<{ cutOff(reason: string): void }>
  /** Feeds are opened one after the other for each user. */
  openings: OneAtATime
  elsewhere: Pick<Elsewhere, 'settled'>
  limits: Limits
  clock: Clock
  log: Logger
  metrics: Metrics
}
