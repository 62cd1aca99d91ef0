import { isUserId } from '@kith/shared'
import { decodeUtf8 } from 'lib0/string'

import type { Clock } from './clock.ts'
import { within } from './timeout.ts'

/** A JWT whose `sub` is the user id, or a function that returns one. The function is called for each connection. */
export type TokenSource = string | (() => string | Promise<string>)

export interface TokenClaims {
  /** The user that the token is for. */
  user: string | undefined
  /** Milliseconds since 1970. */
  issuedAt: number | undefined
  expiresAt: number | undefined
}

/** Reads the claims of a token without verifying them; the server verifies them. An absent claim is `undefined`. */
export function readToken(token: string): TokenClaims {
  const claims = decodePayload(token)
  const seconds = (value: unknown): number | undefined =>
    Number.isFinite(value) ? (value as number) * 1000 : undefined
  const sub = claims['sub']
  return {
    user: isUserId(sub) ? sub : undefined,
    issuedAt: seconds(claims['iat']),
    expiresAt: seconds(claims['exp']),
  }
}

/** Whether a token can be sent as a websocket subprotocol. The WebSocket constructor throws for any other text. */
export function isPresentable(token: string): boolean {
  return token.length <= mostTokenBytes && /^[A-Za-z0-9._~-]+$/.test(token)
}

/** The longest token in a `renew` message. */
const mostTokenBytes = 16 * 1024
/** The timeout of a token function, in milliseconds: as long as for opening a socket. */
const answerMs = 20_000

/**
 * Calls a token function. Rejects when the function throws or rejects, takes longer than `limitMs`, or returns a value that is
 * not a string. A late result is ignored.
 */
export async function askForToken(ask: () => unknown, clock: Clock, limitMs: number = answerMs): Promise<string> {
  const late = (): never => {
    throw new Error(`The token function gave no token within ${limitMs / 1000} s`)
  }
  const token = await within(clock, limitMs, ask, late)
  if (typeof token !== 'string' || token === '')
    throw new Error('The token function must return a string that is not empty')
  return token
}

/**
 * Returns a function that resolves to the token for the next connection: first to `first`, if it is given, then to new ones.
 */
export function nextTokens(source: TokenSource, first: string | undefined, clock: Clock): () => Promise<string> {
  let next = first
  return async () => {
    const token = next ?? (typeof source === 'string' ? source : askForToken(source, clock))
    next = undefined
    return token
  }
}

function decodePayload(token: string): Record<string, unknown> {
  const payload = token.split('.')[1] ?? ''
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
    const claims: unknown = JSON.parse(decodeUtf8(Uint8Array.from(binary, c => c.charCodeAt(0))))
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {}
  } catch {
    return {} // Not a JWT; the server reports that.
  }
}
