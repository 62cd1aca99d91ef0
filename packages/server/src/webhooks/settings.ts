import { keyOf } from './signature.ts'

/** Where events are sent, and which. */
export interface WebhookSettings {
  url: URL
  /** One key, or two while one is being replaced. */
  keys: readonly Uint8Array[]
  /** Whether the event of an undelivered message contains the text. */
  includesText: boolean
  /** The largest number of events in the outbox, including dead letters. */
  mostEvents: number
}

export const defaultMostEvents = 100_000

/** Returns what is wrong with the address of a receiver, as the end of a sentence, or `undefined`. */
export function addressProblem(given: string | URL): string | undefined {
  const url = URL.canParse(String(given)) ? new URL(given) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol)) return 'must be an address, as in https://host/kith-events'
  if (url.username || url.password) return 'must have no user and password: the receiver checks the signature instead'
  return undefined
}

/** Returns the keys of one secret, or of two while one is being replaced. Returns `undefined` if a secret is not valid. */
export function keysOf(secrets: readonly string[]): Uint8Array[] | undefined {
  const keys = secrets.map(keyOf).filter(key => key !== undefined)
  return keys.length === secrets.length && keys.length >= 1 && keys.length <= 2 ? keys : undefined
}

/** Whether this can be the largest number of events in the outbox. */
export function isMostEvents(given: number): boolean {
  return Number.isSafeInteger(given) && given > 0
}
