import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { expectKnown } from '../../../relations/unknown-record.ts'

/**
 * The record that makes a staged change a commit. While it is on disk, the slices that it does not name as applied are part of
 * the stored data, except for the keys that were written separately since.
 */
export interface Marker {
  /** The number of slices. A slice with a higher index belongs to an earlier change, which was never committed. */
  slices: number
  /** The indexes of the applied slices. */
  applied: ReadonlySet<number>
  /** Keys in slices that are not applied, whose records in the database are newer. */
  skipped: ReadonlySet<string>
}

export function encodeMarker({ slices, applied, skipped }: Marker): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, slices)
  encoding.writeVarUint(encoder, applied.size)
  for (const index of applied) encoding.writeVarUint(encoder, index)
  encoding.writeVarUint(encoder, skipped.size)
  for (const key of skipped) encoding.writeVarString(encoder, key)
  return encoding.toUint8Array(encoder)
}

export function decodeMarker(bytes: Uint8Array): Marker {
  const decoder = decoding.createDecoder(bytes)
  const slices = decoding.readVarUint(decoder)
  const applied = new Set<number>()
  for (let left = decoding.readVarUint(decoder); left > 0; left--) applied.add(decoding.readVarUint(decoder))
  const skipped = new Set<string>()
  for (let left = decoding.readVarUint(decoder); left > 0; left--) skipped.add(decoding.readVarString(decoder))
  expectKnown(!decoding.hasContent(decoder), 'the marker of a staged change with bytes at its end')
  return { slices, applied, skipped }
}
