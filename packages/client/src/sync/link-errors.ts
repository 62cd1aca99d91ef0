import { type ErrorCode, KithError } from '@kith/shared'

/** The errors of a connection that could not be opened, or that ended. */

/** `delayMs`: until the next attempt; absent when there is none. */
export function sentAway(code: ErrorCode, message: string, delayMs: number | undefined, cause?: unknown): KithError {
  return new KithError(code, message, { ...(delayMs !== undefined && { retryAfterMs: Math.ceil(delayMs) }), cause })
}

export function notConnected(delayMs: number, cause: unknown): KithError {
  // The text is always the same, so that an app can show it once.
  return sentAway('unavailable', 'Could not get a token, or open a connection with it; trying again', delayMs, cause)
}

export function tokenRefused(delayMs?: number): KithError {
  return sentAway('unauthorised', 'The server does not take the token', delayMs)
}
