import { isUserId } from '@kith/shared'
import { decodeUtf8 } from 'lib0/string'

import type { Clock } from './clock.ts'
import { within } from './timeout.ts'

/** A JWT whose `sub` is the user id, or how to get one; the function is asked at each connect. */
export type TokenSource = string | (() => string | Promise<string>)

export interface TokenClaims {
  /** The user that the token is for. */
  user: string | undefined
  /** Milliseconds since 1970. */
  issuedAt: number | undefined
  expiresAt: number | undefined
}

/** What a token says. It isn't verified: that is the server's part. All `undefined` when it is no JWT. */
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

/** Whether a token can stand in a websocket's subprotocol; anything else makes the constructor throw. */
export function isPresentable(token: string): boolean {
  return token.length <= mostTokenBytes && /^[A-Za-z0-9._~-]+$/.test(token)
}

/** The most that a `renew` carries. */
const mostTokenBytes = 16 * 1024
/** How long a token function may take, in milliseconds: as long as a socket may take to open. */
const answerMs = 20_000

/**
 * Calls a token function. Rejects when the function throws or rejects, when it takes too long, and when its result is no
 * token at all. A result that comes too late is ignored.
 */
export async function askForToken(ask: () => unknown, clock: Clock, limitMs: number = answerMs): Promise<string> {
  const late = (): never => {
    throw new Error(`The token function gave no token within ${limitMs / 1000} s`)
  }
  const token = await within(clock, limitMs, ask, late)
  if (typeof token !== 'string' || token === '') throw new Error('The token function gave no token: a string is needed')
  return token
}

function decodePayload(token: string): Record<string, unknown> {
  const payload = token.split('.')[1] ?? ''
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
    const claims: unknown = JSON.parse(decodeUtf8(Uint8Array.from(binary, c => c.charCodeAt(0))))
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {}
  } catch {
    return {} // No JWT, which the server will say in its own way.
  }
}
