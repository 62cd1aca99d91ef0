import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type Decoder, type Encoder, readUint, writeUint } from './codec.ts'

/** What is no message, and why. */
export interface Malformed {
  type: 'malformed'
  what: string
}

/** One message as one binary websocket frame: its type number as a varint, then its content. */
export function framed(number: number, writeContent: (encoder: Encoder) => void): Uint8Array {
  const encoder = encoding.createEncoder()
  writeUint(encoder, number)
  writeContent(encoder)
  return encoding.toUint8Array(encoder)
}

/** What a frame holds; `readerOf` gives what reads a message of that number. Never throws. */
export function unframed<M extends { type: string }>(
  bytes: Uint8Array,
  readerOf: (number: number) => ((decoder: Decoder) => M) | undefined,
): M | Malformed {
  try {
    const decoder = decoding.createDecoder(bytes)
    const number = readUint(decoder)
    const read = readerOf(number)
    if (!read) return { type: 'malformed', what: `no message has the type ${number}` }
    const message = read(decoder)
    if (decoding.hasContent(decoder)) return { type: 'malformed', what: `bytes after the end of ${message.type}` }
    return message
  } catch (error) {
    return { type: 'malformed', what: error instanceof Error ? error.message : String(error) }
  }
}
