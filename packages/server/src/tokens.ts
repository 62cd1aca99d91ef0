import { isUserId, KithError } from '@kith/shared'
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose'
import type { Clock } from './clock.ts'
import type { Revocation } from './relations/revocation.ts'

/** The user that a token authenticates. */
export interface Identity {
  user: string
  /** When the token expires, in ms. `undefined` if it does not. */
  expiresAtMs: number | undefined
}

/** A caller who has signed in. */
export interface SignedIn extends Identity {
  /**
   * The position that the store had reported before the token was checked. A later revocation makes the session's changes fail.
   */
  readonly signedInAt: number
}

/** Who issues tokens, and how they are checked. */
export interface TokenSettings {
  /** HS256. Needed to issue tokens here. */
  secret?: Uint8Array | undefined
  /** Verifies tokens of the app's own issuer instead. */
  jwksUrl?: URL | undefined
  audience?: string | undefined
  issuer?: string | undefined
  /** Verifies tokens that are not JWTs, instead of all other checks. */
  verify?: VerifyToken | undefined
}

/** The user that one of the app's own tokens authenticates. */
export interface Verified {
  user: string
  /** When it was issued, in ms. If absent, revocations do not end the token, and the app itself must refuse it. */
  issuedAtMs?: number | undefined
  /** When it expires, in ms. The session ends then. If absent, the session lasts as long as its connection. */
  expiresAtMs?: number | undefined
}

/**
 * Returns the user that a token authenticates. Returns `undefined` if the token is not valid; the device then requests another
 * one from its app. Rejects if the validity of the token cannot be determined now; the device then retries later.
 */
export type VerifyToken = (token: string) => Verified | undefined | Promise<Verified | undefined>

/** The least length of an HS256 secret, by RFC 7518, section 3.2. */
export const leastSecretBytes = 32

const defaultLifetimeSeconds = 24 * 60 * 60
const clockToleranceSeconds = 5

/** Whether the token caused the error. Otherwise the issuer's keys could not be fetched, and the token may be valid. */
function isVerdict(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return false
  return !(error instanceof errors.JWKSTimeout) && !(error instanceof errors.JWKSInvalid) && error.code !== genericError
}

/** The code that jose uses if the issuer's answer is not a JWK set, for example for HTTP status 500. */
const genericError = errors.JOSEError.code

/** Checks and issues the JWTs whose `sub` is a user id. */
export class Tokens {
  #settings: TokenSettings
  #clock: Clock
  #revocation: (user: string) => Promise<Revocation>
  #verify: (token: string, options: JWTVerifyOptions) => Promise<JWTPayload>
  #isOfApp = false

  constructor(settings: TokenSettings, clock: Clock, revocation: (user: string) => Promise<Revocation>) {
    this.#settings = settings
    this.#clock = clock
    this.#revocation = revocation
    const { secret, jwksUrl, verify } = settings
    if (verify) {
      this.#isOfApp = true
      this.#verify = async token => payloadOf(await verify(token))
    } else if (jwksUrl) {
      const keySet = createRemoteJWKSet(jwksUrl)
      this.#verify = async (token, options) => (await jwtVerify(token, keySet, options)).payload
    } else if (secret) {
      this.#verify = async (token, options) =>
        (await jwtVerify(token, secret, { ...options, algorithms: ['HS256'] })).payload
    } else throw new TypeError('tokens need a secret or the URL of a JWK set')
  }

  /** Rejects with `unauthorised` if the token is wrong, expired or revoked. */
  async verify(token: string): Promise<Identity> {
    const { audience, issuer } = this.#settings
    const payload = await this.#verify(token, {
      currentDate: new Date(this.#clock.now()),
      clockTolerance: clockToleranceSeconds,
      ...(audience === undefined ? {} : { audience }),
      ...(issuer === undefined ? {} : { issuer }),
    }).catch((error: unknown) => {
      if (!isVerdict(error)) {
        const what = this.#isOfApp
          ? 'the token could not be checked now'
          : 'the keys that tokens are checked with could not be had'
        throw new KithError('unavailable', what, { cause: error })
      }
      throw new KithError('unauthorised', 'the token is not valid: ask the backend for a new one', { cause: error })
    })
    const { sub, iat, exp } = payload
    if (!isUserId(sub)) throw new KithError('unauthorised', 'the token names no user id as its subject (sub)')
    // The tolerance is for tokens that are not valid yet because clocks differ.
    if (exp !== undefined && exp * 1000 <= this.#clock.now()) {
      throw new KithError('unauthorised', 'the token has expired: ask the backend for a new one')
    }
    const revocation = await this.#revocation(sub)
    const isDated = !this.#isOfApp || iat !== undefined
    if (isDated && revocation.atMs > 0 && !isIssuedAfter(iat, revocation)) {
      throw new KithError('unauthorised', 'the token was revoked: ask the backend for a new one')
    }
    return { user: sub, expiresAtMs: exp === undefined ? undefined : exp * 1000 }
  }

  /** Whether tokens can be issued here, instead of only by the app's own issuer. */
  get canIssue(): boolean {
    return this.#settings.secret !== undefined
  }

  /**
   * Issues a token for a user, dated by the clock that dates revocations. `iat` has fractions of a second, so that a token that
   * is issued right after a revocation is valid.
   */
  async issue(user: string, expiresInSeconds: number = defaultLifetimeSeconds): Promise<string> {
    const { secret, audience, issuer } = this.#settings
    if (!secret)
      throw new KithError('unavailable', 'this server has no secret to sign with: tokens come from its issuer')
    const revocation = await this.#revocation(user)
    const iat = issuedAt(revocation) / 1000
    const token = new SignJWT({ iat, exp: Math.floor(revocation.nowMs / 1000 + expiresInSeconds) })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(user)
    if (audience !== undefined) token.setAudience(audience)
    if (issuer !== undefined) token.setIssuer(issuer)
    return token.sign(secret)
  }
}

/** Throws if the app refuses the token. The error counts as caused by the token. */
function payloadOf(verified: Verified | undefined): JWTPayload {
  if (!verified) throw new errors.JWTInvalid('the app refused the token')
  const { user, issuedAtMs, expiresAtMs } = verified
  return {
    sub: user,
    ...(issuedAtMs !== undefined && { iat: issuedAtMs / 1000 }),
    ...(expiresAtMs !== undefined && { exp: expiresAtMs / 1000 }),
  }
}

/** For callers without a store. Tokens are dated by this machine's clock. */
export function neverRevoked(clock: Clock): () => Promise<Revocation> {
  return async () => ({ atMs: 0, nowMs: clock.now() })
}

const clockToleranceMs = clockToleranceSeconds * 1000

/** A time in the future is ignored, for example when `iat` is in ms. Otherwise no revocation would ever end such a token. */
function isIssuedAfter(iat: number | undefined, { atMs, nowMs }: Revocation): boolean {
  if (iat === undefined) return false
  const issuedAtMs = Math.round(iat * 1000)
  return issuedAtMs > atMs && issuedAtMs <= nowMs + clockToleranceMs
}

/**
 * Returns a time after a revocation in the same millisecond, or by a clock that was set back a little. The next revocation is
 * later still.
 */
function issuedAt({ atMs, nowMs }: Revocation): number {
  return atMs < nowMs + clockToleranceMs ? Math.max(nowMs, atMs + 1) : nowMs
}
