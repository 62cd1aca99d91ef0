import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { digest } from 'lib0/hash/sha256'
import type { FieldValue } from '../flat-maps.ts'
import type { Fields } from '../profile.ts'
import {
  type Decoder,
  type Encoder,
  ensure,
  readString,
  readUint,
  readValue,
  skipValue,
  writeString,
  writeUint,
  writeValue,
} from './codec.ts'

/**
 * Writes the fields of one level: a count, then name and value of each, names in ascending order. The same on wire and disk.
 */
export function writeFields(encoder: Encoder, fields: Fields): void {
  const names = Object.keys(fields).sort()
  writeUint(encoder, names.length)
  for (const name of names) {
    writeString(encoder, name)
    writeValue(encoder, fields[name] as FieldValue)
  }
}

export function readFields(decoder: Decoder): Fields {
  const entries: [string, FieldValue][] = []
  for (let count = readUint(decoder); count > 0; count--) {
    const name = readString(decoder, Number.MAX_SAFE_INTEGER)
    ensure(entries.length === 0 || name > (entries.at(-1) as [string, FieldValue])[0], 'field names out of order')
    entries.push([name, readValue(decoder)])
  }
  return Object.fromEntries(entries)
}

export function encodeFields(fields: Fields): Uint8Array {
  const encoder = encoding.createEncoder()
  writeFields(encoder, fields)
  return encoding.toUint8Array(encoder)
}

/** Throws when the bytes are not a result of {@link encodeFields}. */
export function decodeFields(bytes: Uint8Array): Fields {
  const decoder = decoding.createDecoder(bytes)
  const fields = readFields(decoder)
  ensure(!decoding.hasContent(decoder), 'bytes after the end of the fields')
  return fields
}

/**
 * Splits the fields of a level from {@link encodeFields}: name → the bytes of its name and value, in their order. Throws for
 * other bytes, except that it accepts any order.
 */
export function splitFields(bytes: Uint8Array): Map<string, Uint8Array> {
  const decoder = decoding.createDecoder(bytes)
  const fields = new Map<string, Uint8Array>()
  for (let count = readUint(decoder); count > 0; count--) {
    const start = decoder.pos
    const name = readString(decoder, Number.MAX_SAFE_INTEGER)
    skipValue(decoder)
    fields.set(name, bytes.subarray(start, decoder.pos))
  }
  ensure(!decoding.hasContent(decoder), 'bytes after the end of the fields')
  return fields
}

/** Long enough that two states of a level never have the same digest by chance. */
export const fieldsDigestBytes = 16

/** A digest of all fields of a level: the first bytes of the SHA-256 of {@link encodeFields}. */
export function fieldsDigest(fields: Fields): Uint8Array {
  return digest(encodeFields(fields)).slice(0, fieldsDigestBytes)
}
