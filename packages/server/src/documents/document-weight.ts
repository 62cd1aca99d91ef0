import * as decoding from 'lib0/decoding'

/**
 * Of what was removed or overwritten Yjs keeps a struct in memory, and stores a million of them in some ten KB. So a document
 * weighs what it takes on disk, and at least this much for each of its structs: a 16th of what one takes in memory, as for
 * content (measured: 233 bytes a struct).
 */
export const bytesPerStruct = 16

/** What snapshot and updates in Yjs' `updateV2` encoding weigh, found without loading them. */
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
 * How many structs of an update replace another one. Each writes the clock of the replaced one, all of them run-length
 * encoded. The others name their key in full, so their bytes count enough.
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
