/**
 * Why something failed, as a stable code: the same in a thrown {@link KithError}, on the wire and in the server's logs.
 * Messages are for people and may change; codes don't.
 */
const errorCodes = [
  // Detected by the device itself.
  'closed', // the client was closed or erased; open it again
  'database-in-use', // this database is already open here; close the other client first
  'database-failed', // the browser refused storage (full, blocked or broken); nothing has changed, and trying again may help
  'database-lost', // the browser deleted storage while the client was open; the data in memory was written to a new database
  'database-newer', // a later version of Kith wrote this database; nothing has changed, and only such a version can open it
  'user-required', // no user is known for this url yet; pass `user`, or open once while a token is available
  'wrong-user', // the token or the database belongs to another user
  'account-erased', // the account was erased while this device held its data; the device deleted it, and can be opened again
  'unsent-changes', // erasing would lose changes that are on no server; sync first or pass `force`
  'aborted', // the caller's AbortSignal fired
  'sync-turns-back', // `sync` keeps setting values that are removed again, for example by another version of the app
  // Signing in.
  'unauthorised', // token missing, wrong, expired or revoked
  'not-your-roster', // a token for one user, a roster of another; or a write to another user's document
  // Limits (S3, S4). Each has a setting of the same name in `limits`.
  'frame-too-large',
  'roster-too-large',
  'profile-too-large',
  'too-many-levels',
  'field-name-too-long',
  'label-too-long',
  'message-too-long',
  'too-many-follows',
  'too-many-relations',
  'too-many-watched',
  'too-many-messages',
  'too-many-writes',
  'too-many-connections',
  'discovery-limit',
  // Mistakes of a peer, and requests that cannot be served.
  'malformed',
  'protocol-violation',
  'upgrade-required', // one side is too old for the other, or a server too old for a setting; the device retries rarely
  'unknown-user',
  'unavailable', // the other side cannot serve now, or there is no token; it is tried again after `retryAfterMs`, if given
] as const

/** The code of a {@link KithError}. docs/ERRORS.md says for each what happened, what to do, and whether waiting helps. */
export type ErrorCode = (typeof errorCodes)[number]

export interface KithErrorOptions {
  /** How long to wait before trying again, in milliseconds; absent where retrying does not help. */
  retryAfterMs?: number | undefined
  /** The user ids that the error is about; absent if it is not about particular users. */
  addresses?: readonly string[] | undefined
  cause?: unknown
}

/** The one error class of Kith. Switch on `code`; programming mistakes are `TypeError` instead. */
export class KithError extends Error {
  readonly code: ErrorCode
  readonly retryAfterMs: number | undefined
  readonly addresses: readonly string[] | undefined

  constructor(code: ErrorCode, message: string, options: KithErrorOptions = {}) {
    super(message, options)
    this.name = 'KithError'
    this.code = code
    this.retryAfterMs = options.retryAfterMs
    this.addresses = options.addresses
  }
}

/** Whether a string from outside is a known code. */
export function isErrorCode(code: string): code is ErrorCode {
  return (errorCodes as readonly string[]).includes(code)
}
