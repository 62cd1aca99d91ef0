import { type Decoder, type Encoder, readBytes, writeBytes } from './codec.ts'

/**
 * 1 and 3, y-protocols' own: awareness, and the query for it. Kith does not relay awareness; messages of a stock provider are
 * read and dropped. The server's heartbeat is an awareness message with no clients.
 */
export interface Awareness {
  type: 'awareness'
}

export interface QueryAwareness {
  type: 'queryAwareness'
}

export const awarenessType = 1
export const queryAwarenessType = 3

export function writeAwareness(encoder: Encoder): void {
  writeBytes(encoder, Uint8Array.of(0))
}

export function readAwareness(decoder: Decoder): Awareness {
  readBytes(decoder, Number.MAX_SAFE_INTEGER)
  return { type: 'awareness' }
}

export function writeQueryAwareness(_encoder: Encoder): void {
  // The type has no content.
}

export function readQueryAwareness(): QueryAwareness {
  return { type: 'queryAwareness' }
}
