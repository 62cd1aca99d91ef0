import { type ErrorCode, KithError } from '@kith/shared'
import type { IncomingMessage } from '../api/events.ts'
import type { Happening } from '../database/people.ts'
import type { PresenceByUser } from '../presence/presence.ts'
import type { Delivery } from '../sync/port.ts'

/**
 * The messages of tabs over their channel. They end with the tabs: lasting data is in the database. A change of what a released
 * version sends or understands raises `schemaNumber`: tabs with another one cannot have the database open at the same time.
 */
export type TabMessage = Notice | Asked | Answered

export type Notice =
  /**
   * Rows of these people, or of too many to name, are being written. The next transaction sees them, or that writing failed.
   */
  | { type: 'changing'; ids: string[] | 'many'; hasWritten: boolean }
  /** The events of rows that were written, for the app. */
  | { type: 'happened'; happenings: readonly Happening[] }
  | { type: 'message'; message: IncomingMessage }
  | { type: 'error'; error: PlainError }
  /** A tab wants the presence of these users only. */
  | { type: 'watching'; tab: string; users: readonly string[] }
  /** Another tab has the socket now: the others tell it which users they watch, and request their accessed profiles again. */
  | { type: 'whoWatches' }
  /** All known presence of the users that other tabs watch. */
  | { type: 'presence'; known: PresenceByUser }

const toOrFromTheSocket = ['question', 'go', 'cancel', 'leading', 'taken', 'answer']

export function isNotice(message: TabMessage): message is Notice {
  return !toOrFromTheSocket.includes(message.type)
}

/** A question of a tab to the tab that has the socket; it waits for the reply. */
export type Question =
  | { type: 'fetch'; owner: string }
  | { type: 'send'; to: string; text: string }
  | { type: 'whenSynced' }
  /** Whether the app wants to be connected has changed. `isWanted`: the asking tab could not store it. */
  | { type: 'wish'; isWanted: boolean | undefined }

export type Reply = Delivery | undefined

/** A message to the tab that has the socket. `id` names the question. */
export type Asked =
  | { type: 'question'; id: string; question: Question }
  /** The message is to be sent, in this term and no other. The asking tab waits for this long, in milliseconds. */
  | { type: 'go'; id: string; term: string; to: string; text: string; leftMs: number }
  /** The asking tab no longer waits. */
  | { type: 'cancel'; id: string }

/** A message from the tab that has the socket. */
export type Answered =
  /** This tab answers from now on: earlier questions are asked again. */
  | { type: 'leading' }
  /** This tab would send the message. */
  | { type: 'taken'; id: string; term: string }
  | { type: 'answer'; id: string; answer: Answer }

export type Answer = { reply: Reply } | { error: PlainError }

/** A KithError in a form that a channel can clone. */
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
