import { KithError } from '@kith/shared'
import { askForToken, isPresentable, readToken, type TokenClaims } from '../token.ts'
import type { LinkHost } from './host.ts'

/** How long before its end a token is renewed: a fifth of its lifetime, at most this, in milliseconds. */
const longestMarginMs = 60_000
/** The least time between two renewals, in milliseconds. A token that ends sooner is replaced when the server ends the session. */
const shortestMs = 30_000
/** The most time between two attempts to get a newer token, in milliseconds. */
const longestRetryMs = 300_000

/**
 * Gets a newer token before the session's expires, and hands it to `renew`. Returns a function that stops this.
 *
 * A lifetime is `exp` − `iat`, counted from when the token was received: the clock of this device may be hours away from
 * that of the issuer.
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
      if (next === current) return void retry() // The app's own cache has no newer one yet.
      failures = 0
      current = next
      renew(next)
      plan()
    } catch (cause) {
      // The session goes on until the server ends it; then connecting asks again.
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

/** When to renew, in milliseconds from now; `undefined`: never, as the token does not expire or its times make no sense. */
function renewalDelayMs({ issuedAt, expiresAt }: TokenClaims, nowMs: number): number | undefined {
  if (expiresAt === undefined) return undefined
  // Without `iat` this device's clock is all that there is to compare with.
  const lifetimeMs = expiresAt - (issuedAt ?? nowMs)
  if (lifetimeMs <= 0) return undefined
  return Math.max(shortestMs, lifetimeMs - Math.min(longestMarginMs, lifetimeMs / 5))
}
