import type { Randomness } from '../clock.ts'

const shortestMs = 500
const longestMs = 30_000

/**
 * The delay before attempt number `attempt`, counted from 0: exponential backoff with full jitter, so that the devices of a
 * restarting server do not all reconnect at the same moment (Brooker, "Exponential Backoff And Jitter", AWS, 2015). A hint of
 * the server is the minimum.
 */
export function backoffMs(attempt: number, hintMs: number | undefined, randomness: Randomness): number {
  const ceiling = Math.min(longestMs, shortestMs * 2 ** Math.min(attempt, 16))
  return (hintMs ?? 0) + randomness.fraction() * ceiling
}
