import { createHmac } from 'node:crypto'

/** The prefix of the secrets of Standard Webhooks. Base64 follows. */
const prefix = 'whsec_'
const leastBytes = 24
const mostBytes = 64

/**
 * Returns the key of a secret, which is `whsec_` and base64 of 24 to 64 bytes. Returns `undefined` if the text is not a secret.
 */
export function keyOf(secret: string): Uint8Array | undefined {
  if (!secret.startsWith(prefix)) return undefined
  const text = secret.slice(prefix.length)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  const key = Buffer.from(text, 'base64')
  return key.length >= leastBytes && key.length <= mostBytes ? new Uint8Array(key) : undefined
}

/** The signed content, as it is sent. */
export interface Signed {
  id: string
  /** The time of sending, in seconds since 1970. Receivers refuse requests that are older than some minutes. */
  timestamp: number
  body: string
}

/**
 * Returns the headers of Standard Webhooks 1.0 (https://www.standardwebhooks.com): one signature for each key, so a receiver
 * continues to work while its secret is being replaced.
 */
export function signedHeaders(
  { id, timestamp, body }: Signed,
  webhookKeys: readonly Uint8Array[],
): Record<string, string> {
  const signatures = webhookKeys.map(key => {
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
    return `v1,${signature}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  }
}
