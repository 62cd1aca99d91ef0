import { KithError } from '@kith/shared'
import { askForToken, isPresentable, readToken, type TokenClaims } from '../token.ts'
import type { LinkHost } from './host.ts'

/** A token is renewed a fifth of its lifetime before it expires, but at most this long before, in milliseconds. */
const longestMarginMs = 60_000
/**
 * The minimum time between two renewals, in milliseconds. A token that expires sooner is replaced when the server ends the
 * session.
 */
const shortestMs = 30_000
/** The maximum time between two attempts to get a newer token, in milliseconds. */
const longestRetryMs = 300_000

/**
 * Gets a newer token before the session's token expires, and passes it to `renew`. Returns a function that stops the renewal.
 *
 * A lifetime is `exp` − `iat`, counted from when the token was received, because this device's clock may differ from the
 * issuer's by hours.
 */
export function keepRenewing(host: LinkHost, token: string, renew: (token: string) => void): () => void {
  const { clock, token: source } = host
  if (typeof source !== 'function') return () => undefined
  let isStopped = false
  let cancel: () => void = () => undefined
  let current = token
  let failures = 0

  const plan = (): void => {
    const delayMs = renewalDelayMs(readToken(current), clock.now())
    if (delayMs !== undefined) cancel = clock.after(delayMs, () => void replace())
  }
  const retry = (): number => {
    const delayMs = Math.min(longestRetryMs, shortestMs * 2 ** failures)
    failures++
    cancel = clock.after(delayMs, () => void replace())
    return delayMs
  }
  const replace = async (): Promise<void> => {
    try {
      const next = await askForToken(source, clock)
      if (isStopped) return
      if (!isPresentable(next)) throw new Error('The token function gave a string that is no token')
      if (next === current) return void retry() // The app's own cache has no newer token yet.
      failures = 0
      current = next
      renew(next)
      plan()
    } catch (cause) {
      // The session continues until the server ends it; the next connection then asks for a token again.
      if (isStopped) return
      const message = 'Could not get a newer token; the connection ends when the old one expires'
      host.failed(new KithError('unavailable', message, { retryAfterMs: retry(), cause }))
    }
  }

  plan()
  return () => {
    isStopped = true
    cancel()
  }
}

/**
 * When to renew, in milliseconds from now. `undefined`: never, since the token does not expire or its times are inconsistent.
 */
function renewalDelayMs({ issuedAt, expiresAt }: TokenClaims, nowMs: number): number | undefined {
  if (expiresAt === undefined) return undefined
  // Without `iat`, only this device's clock can be compared with `exp`.
  const lifetimeMs = expiresAt - (issuedAt ?? nowMs)
  if (lifetimeMs <= 0) return undefined
  return Math.max(shortestMs, lifetimeMs - Math.min(longestMarginMs, lifetimeMs / 5))
}
