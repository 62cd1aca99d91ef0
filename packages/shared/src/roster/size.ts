import type { FieldValue, FlatMaps } from '../flat-maps.ts'
import { utf8Length } from '../limits.ts'
import { rosterRoots } from './keys.ts'

/**
 * The number of bytes that an entry of a roster counts toward `rosterBytes`: its size alone in Yjs' `updateV1` encoding. Device
 * and server count the same, independent of their documents' histories, so an entry that fits on one fits on the other [D6].
 */
export function rosterEntryBytes(root: string, key: string, value: FieldValue): number {
  return structBytes + textBytes(root) + textBytes(key) + anyBytes(value)
}

/** The size of the live content of a roster, in bytes. */
export function rosterBytes(roster: FlatMaps): number {
  let bytes = 0
  for (const root of rosterRoots) {
    for (const [key, value] of roster.entries(root)) bytes += rosterEntryBytes(root, key, value)
  }
  return bytes
}

/** The kind of struct, the kind of parent, and the number of values. */
const structBytes = 3

function anyBytes(value: FieldValue): number {
  if (typeof value === 'string') return 1 + textBytes(value)
  if (value instanceof Uint8Array) return 1 + lengthBytes(value.length) + value.length
  return typeof value === 'number' ? 9 : 1
}

function textBytes(text: string): number {
  const length = utf8Length(text)
  return lengthBytes(length) + length
}

/** lib0's varint: seven bits a byte. */
function lengthBytes(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : 3
}
