import type { FieldValue, KeyChange } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { decodeUtf8, encodeUtf8 } from 'lib0/string'

/**
 * Encodes changes as one value for the outbox: a count, then root, key and value of each, in lib0's encoding. A structured
 * clone of 40,000 objects would take longer than everything else in a bulk synchronisation.
 */
export function encodeChanges(changes: readonly KeyChange[]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, changes.length)
  for (const { root, key, value } of changes) {
    writeText(encoder, root)
    writeText(encoder, key)
    writeValue(encoder, value)
  }
  return encoding.toUint8Array(encoder)
}

export function decodeChanges(bytes: Uint8Array): KeyChange[] {
  const decoder = decoding.createDecoder(bytes)
  const changes: KeyChange[] = []
  for (let count = decoding.readVarUint(decoder); count > 0; count--) {
    const root = readText(decoder)
    const key = readText(decoder)
    changes.push({ root, key, value: readValue(decoder) })
  }
  return changes
}

/** The subset of lib0's `any` that field values need. All of `any` would be a large part of what a browser loads. */
const tags = { bytes: 116, string: 119, true: 120, false: 121, float64: 123, float32: 124, integer: 125, none: 127 }

function writeValue(encoder: encoding.Encoder, value: FieldValue | undefined): void {
  const tag = tagOf(value)
  encoding.writeUint8(encoder, tag)
  if (typeof value === 'string') writeText(encoder, value)
  else if (typeof value === 'number') encoding.writeFloat64(encoder, value)
  else if (typeof value === 'object') encoding.writeVarUint8Array(encoder, value)
}

function tagOf(value: FieldValue | undefined): number {
  switch (typeof value) {
    case 'string':
      return tags.string
    case 'number':
      return tags.float64
    case 'boolean':
      return value ? tags.true : tags.false
    default:
      return value ? tags.bytes : tags.none
  }
}

function readValue(decoder: decoding.Decoder): FieldValue | undefined {
  switch (decoding.readUint8(decoder)) {
    case tags.string:
      return readText(decoder)
    case tags.float64:
      return decoding.readFloat64(decoder)
    // Numbers as earlier versions wrote them.
    case tags.float32:
      return decoding.readFloat32(decoder)
    case tags.integer:
      return decoding.readVarInt(decoder)
    case tags.true:
      return true
    case tags.false:
      return false
    case tags.bytes:
      return decoding.readVarUint8Array(decoder)
    default:
      return undefined
  }
}

function writeText(encoder: encoding.Encoder, text: string): void {
  encoding.writeVarUint8Array(encoder, encodeUtf8(text))
}

function readText(decoder: decoding.Decoder): string {
  return decodeUtf8(decoding.readVarUint8Array(decoder))
}
