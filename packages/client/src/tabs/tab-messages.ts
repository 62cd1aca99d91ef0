import { type ErrorCode, KithError } from '@kith/shared'
import type { IncomingMessage } from '../api/events.ts'
import type { Happening } from '../database/people.ts'
import type { PresenceByUser } from '../presence/presence.ts'
import type { Delivery } from '../sync/port.ts'

/** What tabs tell each other over their channel. It ends with them: what must last is in the database. */
export type TabMessage = Notice | Asked | Answered

export type Notice =
  /** Rows are being written, of these people, or of too many to name: the next transaction sees them, or that they failed. */
  | { type: 'changing'; ids: string[] | 'many'; hasWritten: boolean }
  /** What the app is told of rows that were written. */
  | { type: 'happened'; happenings: readonly Happening[] }
  | { type: 'message'; message: IncomingMessage }
  | { type: 'error'; error: PlainError }
  /** A tab wants the presence of these users only. */
  | { type: 'watching'; tab: string; users: readonly string[] }
  /** Another tab has the socket now: it must be told who wants whose presence, and asked again for those looked at. */
  | { type: 'whoWatches' }
  /** All that is known of those whom other tabs watch. */
  | { type: 'presence'; known: PresenceByUser }

const toOrFromTheSocket = ['question', 'go', 'cancel', 'leading', 'taken', 'answer']

export function isNotice(message: TabMessage): message is Notice {
  return !toOrFromTheSocket.includes(message.type)
}

/** What a tab asks of the one that has the socket, and waits for. */
export type Question =
  | { type: 'fetch'; owner: string }
  | { type: 'send'; to: string; text: string }
  | { type: 'whenSynced' }
  /** Whether the app wants to be connected has changed. */
  | { type: 'wish' }

export type Reply = Delivery | undefined

/** To the tab that has the socket. `id` names the question. */
export type Asked =
  | { type: 'question'; id: string; question: Question }
  /** The message is to be sent, in this term and no other. The tab that asked waits for so long, in milliseconds. */
  | { type: 'go'; id: string; term: string; to: string; text: string; leftMs: number }
  /** The tab that asked does not wait any more. */
  | { type: 'cancel'; id: string }

/** From the tab that has the socket. */
export type Answered =
  /** It answers from now on: what was asked before is asked again. */
  | { type: 'leading' }
  /** It would send the message. */
  | { type: 'taken'; id: string; term: string }
  | { type: 'answer'; id: string; answer: Answer }

export type Answer = { reply: Reply } | { error: PlainError }

/** A KithError as a channel takes it. */
export interface PlainError {
  code: ErrorCode
  message: string
  retryAfterMs: number | undefined
  addresses: readonly string[] | undefined
}

export function plainError({ code, message, retryAfterMs, addresses }: KithError): PlainError {
  return { code, message, retryAfterMs, addresses }
}

export function errorFrom({ code, message, retryAfterMs, addresses }: PlainError): KithError {
  return new KithError(code, message, { retryAfterMs, addresses })
}
