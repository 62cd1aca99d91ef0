import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { decodeUtf8, encodeUtf8 } from 'lib0/string'
import { type ErrorCode, isErrorCode } from '../errors.ts'
import type { FieldValue } from '../flat-maps.ts'
import { isLevel } from '../roster/keys.ts'
import { isUserId } from '../user-id.ts'
import { wireVersion } from './versions.ts'

/**
 * The primitives of the wire, on lib0's varints, as in y-protocols. Reading is strict: a read throws if the bytes are not what
 * the writer produces, and {@link decodeFrame} turns that into `malformed`.
 */

export type Encoder = encoding.Encoder
export type Decoder = decoding.Decoder

/** Thrown inside this folder only, for invalid bytes. */
class MalformedError extends Error {}

export function ensure(condition: boolean, what: string): asserts condition {
  if (!condition) throw new MalformedError(what)
}

export function writeString(encoder: Encoder, text: string): void {
  writeBytes(encoder, encodeUtf8(text))
}

/** Throws if the bytes are not well-formed UTF-8. */
export function readString(decoder: Decoder, maxBytes: number): string {
  return decodeUtf8(readBytes(decoder, maxBytes))
}

export function writeBytes(encoder: Encoder, bytes: Uint8Array): void {
  encoding.writeVarUint8Array(encoder, bytes)
}

/**
 * Returns a copy. lib0 checks lengths against the underlying buffer, not against the frame. In Node, a frame may be part of a
 * pool that contains other sessions' bytes. So the end is checked here, and Yjs gets bytes in a buffer of their own.
 */
export function readBytes(decoder: Decoder, maxBytes: number): Uint8Array {
  const length = readUint(decoder)
  ensure(length <= maxBytes, `more than ${maxBytes} bytes`)
  ensure(decoder.pos + length <= decoder.arr.length, 'an end before its bytes')
  const bytes = new Uint8Array(decoder.arr.subarray(decoder.pos, decoder.pos + length))
  decoder.pos += length
  return bytes
}

/** Throws a `TypeError` unless the value is an integer from 0 to 2^53 − 1: lib0 would write another number, or never end. */
export function writeUint(encoder: Encoder, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${value} is no length, count or id`)
  encoding.writeVarUint(encoder, value)
}

/** A number has only one form: unnecessary zeros at its end are malformed. */
export function readUint(decoder: Decoder, max: number = Number.MAX_SAFE_INTEGER): number {
  const start = decoder.pos
  const value = decoding.readVarUint(decoder)
  ensure(decoder.pos === start + 1 || decoder.arr[decoder.pos - 1] !== 0, 'a number longer than it need be')
  ensure(value <= max, `a number above ${max}`)
  return value
}

/** Reads one frame. */
export class FrameDecoder extends decoding.Decoder {
  /** The other side has a later wire: new parts are skipped, or mean that this side must be upgraded. */
  isFromNewer = false
}

/** Notes the wire that a side names in its `hello` or `welcome`. Called before the parts that a later wire may extend are read. */
export function noteWire(decoder: Decoder, wire: number): void {
  if (decoder instanceof FrameDecoder) decoder.isFromNewer ||= wire > wireVersion
}

/** Reads an error code. A code that only a later wire has becomes `upgrade-required`. */
export function readCode(decoder: Decoder): ErrorCode {
  const code = readString(decoder, 64)
  if (isErrorCode(code)) return code
  ensure(decoder instanceof FrameDecoder && decoder.isFromNewer, `no code ${code}`)
  return 'upgrade-required'
}

export function readUserId(decoder: Decoder): string {
  const id = readString(decoder, 128)
  ensure(isUserId(id), 'no user id')
  return id
}

/** Writes levels as a count and a byte each, in ascending order. */
export function writeLevels(encoder: Encoder, levels: readonly number[]): void {
  writeUint(encoder, levels.length)
  for (const level of levels) encoding.writeUint8(encoder, level)
}

export function readLevels(decoder: Decoder): number[] {
  const levels: number[] = []
  for (let count = readUint(decoder, 256); count > 0; count--) {
    const level = decoding.readUint8(decoder)
    ensure(isLevel(level) && level > (levels.at(-1) ?? -1), 'levels out of order')
    levels.push(level)
  }
  return levels
}

const valueTags = { string: 0, number: 1, true: 2, false: 3, bytes: 4 } as const

/** One of the many bit patterns of NaN: the same fields have the same bytes everywhere, and so the same digest. */
const oneNaN = Uint8Array.of(0x7f, 0xf8, 0, 0, 0, 0, 0, 0)

/** One tag byte, then the value: a string, a float64 (big-endian), nothing for a boolean, bytes. */
export function writeValue(encoder: Encoder, value: FieldValue): void {
  if (typeof value === 'string') {
    encoding.writeUint8(encoder, valueTags.string)
    writeString(encoder, value)
  } else if (typeof value === 'number') {
    encoding.writeUint8(encoder, valueTags.number)
    if (Number.isNaN(value)) encoding.writeUint8Array(encoder, oneNaN)
    else encoding.writeFloat64(encoder, value)
  } else if (typeof value === 'boolean') {
    encoding.writeUint8(encoder, value ? valueTags.true : valueTags.false)
  } else {
    encoding.writeUint8(encoder, valueTags.bytes)
    writeBytes(encoder, value)
  }
}

/** Skips a value that {@link writeValue} wrote. */
export function skipValue(decoder: Decoder): void {
  const tag = decoding.readUint8(decoder)
  if (tag === valueTags.number) decoder.pos += 8
  else if (tag === valueTags.string || tag === valueTags.bytes) {
    const length = readUint(decoder)
    decoder.pos += length
  }
}

export function readValue(decoder: Decoder): FieldValue {
  const tag = decoding.readUint8(decoder)
  switch (tag) {
    case valueTags.string:
      return readString(decoder, Number.MAX_SAFE_INTEGER)
    case valueTags.number:
      ensure(decoder.pos + 8 <= decoder.arr.length, 'an end before its number')
      return decoding.readFloat64(decoder)
    case valueTags.true:
      return true
    case valueTags.false:
      return false
    case valueTags.bytes:
      return readBytes(decoder, Number.MAX_SAFE_INTEGER)
    default:
      throw new MalformedError(`no value has the tag ${tag}`)
  }
}
