import type { Clock } from '../clock.ts'
import { eventId, type StoredEvent } from '../relations/outbox.ts'
import type { WebhookSettings } from './settings.ts'
import { signedHeaders } from './signature.ts'

/** How long a receiver may take for its whole response. */
export const responseTimeoutMs = 15_000
/** The number of bytes that are read of a response, so that its connection can be reused. */
const mostResponseBytes = 64 * 1024
/** If a receiver requests a longer wait, this one is used. */
const longestRetryAfterMs = 3_600_000

/**
 * The outcome of one attempt. `isOfReceiver`: the failure is not caused by the event, because the receiver cannot be reached or
 * is overloaded.
 */
export type Attempt =
  | { isDelivered: true }
  | { isDelivered: false; reason: string; isOfReceiver: boolean; retryAfterMs: number }

/** Sends one event. Never rejects. */
export type Send = (event: StoredEvent, signal: AbortSignal) => Promise<Attempt>

/** The body of an event, as the receiver gets it. */
function bodyOf({ event: { type, atMs, data } }: StoredEvent): string {
  return JSON.stringify({ type, timestamp: new Date(atMs).toISOString(), data })
}

/**
 * The app's receiver. The operator chooses the address, which may be one of an internal network. A response other than 2xx is a
 * failure, including redirects: an event is never sent to another address.
 */
export function receiverOf({ url, keys }: Pick<WebhookSettings, 'url' | 'keys'>, clock: Clock): Send {
  return async (stored, signal) => {
    const body = bodyOf(stored)
    const timeout = new AbortController()
    const cancel = clock.after(responseTimeoutMs, () => timeout.abort())
    try {
      const timestamp = Math.floor(clock.now() / 1000)
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'kith-server',
          ...signedHeaders({ id: eventId(stored), timestamp, body }, keys),
        },
        body,
        signal: AbortSignal.any([signal, timeout.signal]),
      })
      await readAway(response)
      return outcomeOf(response, clock)
    } catch (error) {
      const reason = timeout.signal.aborted ? `no response within ${responseTimeoutMs / 1000} s` : causeOf(error)
      return { isDelivered: false, reason, isOfReceiver: true, retryAfterMs: 0 }
    } finally {
      cancel()
    }
  }
}

/** Reads a short response, so that its connection can be reused. A longer one is cut off. */
async function readAway({ body }: Response): Promise<void> {
  if (!body) return
  const reader = body.getReader()
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) return
    bytes += value.length
    if (bytes > mostResponseBytes) return void reader.cancel().catch(() => undefined)
  }
}

function outcomeOf({ status, headers }: Response, clock: Clock): Attempt {
  if (status >= 200 && status < 300) return { isDelivered: true }
  const isOfReceiver = status >= 500 || status === 429 || status === 408
  return { isDelivered: false, reason: `status ${status}`, isOfReceiver, retryAfterMs: retryAfterOf(headers, clock) }
}

/** In seconds or as a date (RFC 9110, 10.2.3). */
function retryAfterOf(headers: Headers, clock: Clock): number {
  const given = headers.get('retry-after') ?? ''
  const afterMs = /^\d+$/.test(given) ? Number(given) * 1000 : Date.parse(given) - clock.now()
  return Number.isFinite(afterMs) ? Math.min(Math.max(0, afterMs), longestRetryAfterMs) : 0
}

/** The system's message, without the address, which may contain a secret. */
function causeOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string } }
  return cause?.code ?? cause?.message ?? (error instanceof Error ? error.name : String(error))
}
