import type { Audience, ContactFacts, RosterSettings } from '@kith/shared'
import type { EventName } from './outbox.ts'
import type { DocumentName } from './records.ts'

/** A change of one document, as one Yjs update in the server's own encoding, `updateV2`. */
export interface DocumentUpdate {
  update: Uint8Array
  /** The whole document after the update, if the log before it is to be folded into it. */
  snapshot?: Uint8Array | undefined
}

/** What a roster says about other users: a map, or a sequence that is decoded while it is read. */
export interface Facts extends Iterable<[string, ContactFacts]> {
  readonly size: number
}

/** What an owner's devices wrote: both documents, in one order. */
export interface DocumentsChange {
  type: 'documents'
  user: string
  /** The device answered the server's sync step 1: the user registers with this change, if new [F3]. */
  registers: boolean
  roster?: (DocumentUpdate & { facts: Facts; settings: RosterSettings }) | undefined
  /** The encoded fields of every level that changed. */
  profile?: (DocumentUpdate & { levels: ReadonlyMap<number, Uint8Array> }) | undefined
  /**
   * The versions of the changed documents when they were loaded. Rejects with `OutdatedDocument` if the present versions
   * differ.
   */
  buildsOn?: Partial<Record<DocumentName, number>> | undefined
  /**
   * A changed document is of a later generation than the first. Versions of Kith that do not know generations may not read it.
   */
  isRefounded?: boolean | undefined
  /** The position that the store had reported when the session signed in: rejects with `RevokedSession` after a later revocation. */
  signedInAt?: number | undefined
}

/** A change of what the store holds. `type` says which. */
export type Change =
  | DocumentsChange
  /** The backend registers a user, or changes its settings for a user. */
  | { type: 'user'; user: string; restricted?: boolean | undefined; announceJoin?: boolean | undefined }
  | { type: 'pair'; a: string; b: string; isPaired: boolean }
  | { type: 'revoke'; user: string }
  /**
   * Erases an account. `registeredAt`: the registration that is to be erased; 0 for a withheld account. If the account that has
   * the id by then is another one, or there is none, the change writes nothing, and `isMissed` is set.
   */
  | { type: 'erase'; user: string; registeredAt?: number | undefined }
  /** A user looks up another user outside the roster: by fetch or message [S4]. */
  | { type: 'lookup'; user: string; owner: string }
  /** Serves waiting follows as far as the limits now allow. */
  | { type: 'promote'; user: string }
  /** When the last devices of these users disconnected. */
  | { type: 'seen'; users: readonly LastSeen[] }
  | UndeliveredMessage
  | EventsChange

/**
 * No device received a message. If the store writes events, the message becomes an event if the recipient may receive it:
 * both when it was handed over and now. Otherwise the change writes nothing, and takes the same time [V10].
 */
export interface UndeliveredMessage {
  type: 'undelivered'
  from: string
  to: string
  id: string
  text: string
  /** Whether the recipient could receive it when it was handed over. */
  isAllowed: boolean
  /** Both accounts when it was handed over. If either was erased since, there is no event [D7]. */
  accounts: MessageAccounts
  /** The widest audience for the messages of any user of this server. */
  widest: Audience
}

/** The accounts between which a message was sent, each named by its `registeredAt`. */
export interface MessageAccounts {
  sender: number
  recipient: number
}

/** The outcomes of events in the outbox. Events that the outbox no longer holds are ignored. */
export interface EventsChange {
  type: 'events'
  /** They were delivered, or the operator removed them. */
  removed?: readonly EventName[]
  /** They are dead letters from now on. */
  dead?: readonly { name: EventName; reason: string }[]
  /** They are to be delivered again. */
  revived?: readonly EventName[]
}

/** When a user's last device disconnected, in minutes since 1970. */
export interface LastSeen {
  user: string
  minute: number
  /** The registration of the account that was seen. If absent, it is the present one. */
  registeredAt?: number | undefined
}

export function isOfLaterGeneration(change: Change): boolean {
  return change.type === 'documents' && change.isRefounded === true
}
