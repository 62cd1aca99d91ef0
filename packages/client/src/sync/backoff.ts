import type { Randomness } from '../clock.ts'

const shortestMs = 500
const longestMs = 30_000

/**
 * How long to wait before attempt number `attempt`, counted from 0: exponential with full jitter, so that the devices of
 * a server that restarts don't all come back at once (Brooker, "Exponential Backoff And Jitter", AWS, 2015). A hint of the
 * server's is the least.
 */
export function backoffMs(attempt: number, hintMs: number | undefined, randomness: Randomness): number {
  const ceiling = Math.min(longestMs, shortestMs * 2 ** Math.min(attempt, 16))
  return (hintMs ?? 0) + randomness.fraction() * ceiling
}
