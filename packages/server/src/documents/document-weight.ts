import * as decoding from 'lib0/decoding'

/**
 * For removed or overwritten content, Yjs keeps structs in memory, and can store a million of them in some ten KB. So the
 * weight of a document is its size on disk, but at least this much for each of its structs. That is a 16th of the memory of a
 * struct, the same ratio as for content (measured: 233 bytes per struct).
 */
export const bytesPerStruct = 16

/** Returns the weight of a snapshot and updates in Yjs' `updateV2` encoding, without loading them. */
export function weightOf(parts: readonly Uint8Array[]): number {
  let bytes = 0
  let structs = 0
  for (const part of parts) {
    bytes += part.length
    structs += replacing(part)
  }
  return Math.max(bytes, bytesPerStruct * structs)
}

/**
 * Returns how many structs of an update replace another one. Each of these writes the clock of the replaced struct, and all the
 * clocks are run-length encoded. The other structs contain their full key, so their bytes are a sufficient measure.
 *
 * Layout: `UpdateEncoderV2.toUint8Array` of yjs 13 (a flag, then the columns, each with its length: the clocks of keys, the
 * clients, the clocks on the left), `IntDiffOptRleEncoder` of lib0 0.2.
 */
function replacing(update: Uint8Array): number {
  const decoder = decoding.createDecoder(update)
  decoding.readVarUint(decoder)
  decoding.readVarUint8Array(decoder)
  decoding.readVarUint8Array(decoder)
  const column = decoding.createDecoder(decoding.readVarUint8Array(decoder))
  let count = 0
  while (decoding.hasContent(column)) {
    const isRun = (decoding.readVarInt(column) & 1) !== 0
    count += isRun ? decoding.readVarUint(column) + 2 : 1
  }
  return count
}
