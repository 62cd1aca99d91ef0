import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type Decoder, type Encoder, FrameDecoder, readUint, writeUint } from './codec.ts'
import { firstOptionalType } from './versions.ts'

/** Bytes that are not a message, and why. */
export interface Malformed {
  type: 'malformed'
  what: string
  /** A message that only a later wire has, and that may be skipped. */
  isOptional?: true
  /** The other side has a later wire, as it stated before or in these bytes. */
  isFromNewer?: true
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
  const decoder = new FrameDecoder(bytes)
  decoder.isFromNewer = isFromNewer
  const malformed = (what: string, isOptional = false): Malformed => ({
    ...{ type: 'malformed', what },
    ...(isOptional && { isOptional }),
    ...(decoder.isFromNewer && { isFromNewer: true }),
  })
  try {
    const number = readUint(decoder)
    const read = readerOf(number)
    if (!read) return malformed(`no message has the type ${number}`, isFromNewer && number >= firstOptionalType)
    const message = read(decoder)
    const isOpen = decoder.isFromNewer && !closed.has(message.type)
    if (decoding.hasContent(decoder) && !isOpen) return malformed(`bytes after the end of ${message.type}`)
    return message
  } catch (error) {
    return malformed(error instanceof Error ? error.message : String(error))
  }
}
