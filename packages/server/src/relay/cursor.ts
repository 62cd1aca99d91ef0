import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/**
 * How far a device has read its feed: the store's run (8 bytes), then a position. Opaque to the device, which
 * keeps it in its user's database, so it names no user.
 */
const runBytes = 8

export function encodeCursor(run: Uint8Array, position: number): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8Array(encoder, run)
  encoding.writeVarUint(encoder, position)
  return encoding.toUint8Array(encoder)
}

/** The position, if the cursor is of this store's history, not from its future, and not older than it can tell. */
export function positionOf(
  cursor: Uint8Array,
  store: { position: number; reachOf(run: Uint8Array): number | undefined },
  oldest: number,
): number | undefined {
  if (cursor.length <= runBytes || cursor.length > 2 * runBytes) return undefined
  const reach = store.reachOf(cursor.subarray(0, runBytes))
  if (reach === undefined) return undefined
  let position = 0
  try {
    position = decoding.readVarUint(decoding.createDecoder(cursor.subarray(runBytes)))
  } catch {
    // A device may send any bytes as its cursor; none that aren't ours count.
    return undefined
  }
  return position <= Math.min(reach, store.position) && position >= oldest ? position : undefined
}
