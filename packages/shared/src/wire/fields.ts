import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { FieldValue } from '../flat-maps.ts'
import type { Fields } from '../profile.ts'
import {
  type Decoder,
  type Encoder,
  ensure,
  readString,
  readUint,
  readValue,
  writeString,
  writeUint,
  writeValue,
} from './codec.ts'

/** The fields of one level: a count, then name and value of each, names ascending. The same bytes on wire and disk. */
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

/** Throws when the bytes are not what {@link encodeFields} made. */
export function decodeFields(bytes: Uint8Array): Fields {
  const decoder = decoding.createDecoder(bytes)
  const fields = readFields(decoder)
  ensure(!decoding.hasContent(decoder), 'bytes after the end of the fields')
  return fields
}
