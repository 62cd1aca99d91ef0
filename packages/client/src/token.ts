import { isUserId } from '@kith/shared'
import { decodeUtf8 } from 'lib0/string'

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
  return /^[A-Za-z0-9._~-]+$/.test(token)
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
