import { KithError } from '@kith/shared'
import { readToken } from '../token.ts'
import type { LinkHost } from './host.ts'

/** How long before its end a token is renewed: a fifth of what is left of it, at most this, in milliseconds. */
const longestMarginMs = 60_000

/** Gets a newer token before the session's expires, and hands it to `renew`. The answer stops it. */
export function keepRenewing(host: LinkHost, token: string, renew: (token: string) => void): () => void {
  const { clock, token: source } = host
  if (typeof source !== 'function') return () => undefined
  let isStopped = false
  let cancel: () => void = () => undefined

  const plan = (current: string): void => {
    const { expiresAt } = readToken(current)
    if (expiresAt === undefined) return
    const leftMs = Math.max(0, expiresAt - clock.now())
    const delayMs = Math.max(1_000, leftMs - Math.min(longestMarginMs, leftMs / 5))
    cancel = clock.after(delayMs, () => void replace())
  }
  const replace = async (): Promise<void> => {
    try {
      const next = await source()
      if (isStopped) return
      renew(next)
      plan(next)
    } catch (cause) {
      // The session goes on until the server ends it; then connecting asks again.
      if (!isStopped) host.failed(new KithError('unavailable', 'No newer token can be had', { cause }))
    }
  }

  plan(token)
  return () => {
    isStopped = true
    cancel()
  }
}
