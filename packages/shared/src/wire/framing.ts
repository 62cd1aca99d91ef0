import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type Decoder, type Encoder, NewerDecoder, readUint, writeUint } from './codec.ts'
import { firstOptionalType } from './versions.ts'

/** Bytes that are not a message, and why. */
export interface Malformed {
  type: 'malformed'
  what: string
  /** A message that only a later wire has, and that may be skipped. */
  isOptional?: true
}

/** Always read strictly: additional bytes would be part of what is admitted, or are y-protocols' own. */
const closed: ReadonlySet<string> = new Set(['rosterSync', 'ownProfile', 'awareness', 'queryAwareness'])

/** Encodes one message as one binary websocket frame: its type number as a varint, then its content. */
export function framed(number: number, writeContent: (encoder: Encoder) => void): Uint8Array {
  const encoder = encoding.createEncoder()
  writeUint(encoder, number)
  writeContent(encoder)
  return encoding.toUint8Array(encoder)
}

/**
 * Decodes a frame. `readerOf` returns the reader of a message by its number. `isFromNewer`: the other side has a later wire, so
 * optional messages, and bytes at the end of messages, are skipped. Never throws.
 */
export function unframed<M extends { type: string }>(
  bytes: Uint8Array,
  readerOf: (number: number) => ((decoder: Decoder) => M) | undefined,
  isFromNewer = false,
): M | Malformed {
  try {
    const decoder = isFromNewer ? new NewerDecoder(bytes) : decoding.createDecoder(bytes)
    const number = readUint(decoder)
    const read = readerOf(number)
    if (!read) {
      const isOptional = isFromNewer && number >= firstOptionalType
      return { type: 'malformed', what: `no message has the type ${number}`, ...(isOptional && { isOptional }) }
    }
    const message = read(decoder)
    const isOpen = isFromNewer && !closed.has(message.type)
    if (decoding.hasContent(decoder) && !isOpen)
      return { type: 'malformed', what: `bytes after the end of ${message.type}` }
    return message
  } catch (error) {
    return { type: 'malformed', what: error instanceof Error ? error.message : String(error) }
  }
}
