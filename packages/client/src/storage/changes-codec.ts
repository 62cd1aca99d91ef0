import type { FieldValue, KeyChange } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/**
 * Changes as one value for the outbox: a count, then root, key and value of each, in lib0's encoding. A structured clone
 * of 40,000 objects would take longer than everything else in a bulk synchronisation.
 */
export function encodeChanges(changes: readonly KeyChange[]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, changes.length)
  for (const { root, key, value } of changes) {
    encoding.writeVarString(encoder, root)
    encoding.writeVarString(encoder, key)
    encoding.writeAny(encoder, value)
  }
  return encoding.toUint8Array(encoder)
}

export function decodeChanges(bytes: Uint8Array): KeyChange[] {
  const decoder = decoding.createDecoder(bytes)
  const changes: KeyChange[] = []
  for (let count = decoding.readVarUint(decoder); count > 0; count--) {
    const root = decoding.readVarString(decoder)
    const key = decoding.readVarString(decoder)
    changes.push({ root, key, value: decoding.readAny(decoder) as FieldValue | undefined })
  }
  return changes
}
