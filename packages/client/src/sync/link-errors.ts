import { type ErrorCode, KithError } from '@kith/shared'

/** What the app is told when connecting, or staying connected, came to nothing. */

export function notConnected(delayMs: number, cause: unknown): KithError {
  // The same text each time, so that an app can show it once.
  const message = 'Could not get a token, or open a connection with it; trying again'
  return sentAway('unavailable', message, delayMs, cause)
}

/** `delayMs`: until another token is tried; absent when there is no other. */
export function tokenRefused(delayMs: number | undefined): KithError {
  return sentAway('unauthorised', 'The server does not take the token', delayMs)
}

export function sentAway(code: ErrorCode, message: string, delayMs: number | undefined, cause?: unknown): KithError {
  return new KithError(code, message, { ...(delayMs !== undefined && { retryAfterMs: Math.ceil(delayMs) }), cause })
}
