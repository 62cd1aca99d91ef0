import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/**
 * Encodes rows as bytes: the values that IndexedDB can store of the rows of `schema.ts`, which are those of lib0's `writeAny`,
 * Maps and Sets. The first byte of a value states its kind.
 */
const kinds = { leaf: 0, array: 1, object: 2, map: 3, set: 4 } as const

export function encodeRow(value: unknown): Uint8Array {
  const encoder = encoding.createEncoder()
  write(encoder, value)
  return encoding.toUint8Array(encoder)
}

export function decodeRow(bytes: Uint8Array): unknown {
  return read(decoding.createDecoder(bytes))
}

function write(encoder: encoding.Encoder, value: unknown): void {
  if (Array.isArray(value)) writeAll(encoder, kinds.array, value)
  else if (value instanceof Map) writeAll(encoder, kinds.map, [...value].flat(1))
  else if (value instanceof Set) writeAll(encoder, kinds.set, [...value])
  else if (isObject(value)) writeAll(encoder, kinds.object, Object.entries(value).flat(1))
  else {
    encoding.writeVarUint(encoder, kinds.leaf)
    encoding.writeAny(encoder, value as encoding.AnyEncodable)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}

function writeAll(encoder: encoding.Encoder, kind: number, values: readonly unknown[]): void {
  encoding.writeVarUint(encoder, kind)
  encoding.writeVarUint(encoder, values.length)
  for (const value of values) write(encoder, value)
}

function read(decoder: decoding.Decoder): unknown {
  const kind = decoding.readVarUint(decoder)
  // A copy: bytes that refer to the buffer of the row would keep the whole buffer in memory, and change with it.
  if (kind === kinds.leaf) return copied(decoding.readAny(decoder))
  const values = Array.from({ length: decoding.readVarUint(decoder) }, () => read(decoder))
  if (kind === kinds.array) return values
  if (kind === kinds.set) return new Set(values)
  const entries = Array.from({ length: values.length / 2 }, (_, index) => [values[2 * index], values[2 * index + 1]])
  // `fromEntries` makes `__proto__` an ordinary property.
  return kind === kinds.map ? new Map(entries as [unknown, unknown][]) : Object.fromEntries(entries)
}

function copied(value: unknown): unknown {
  return value instanceof Uint8Array ? value.slice() : value
}
