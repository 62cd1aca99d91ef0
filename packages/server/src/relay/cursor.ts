import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/**
 * How far a device has read its feed: the store's incarnation (8 bytes), then a position. Opaque to the device, which
 * keeps it in its user's database, so it names no user.
 */
const incarnationBytes = 8

export function encodeCursor(incarnation: Uint8Array, position: number): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8Array(encoder, incarnation)
  encoding.writeVarUint(encoder, position)
  return encoding.toUint8Array(encoder)
}

/** The position, if the cursor is of this store, not from its future, and not older than it can tell; else nothing. */
export function positionOf(
  cursor: Uint8Array,
  store: { incarnation: Uint8Array; position: number },
  oldest: number,
): number | undefined {
  if (cursor.length <= incarnationBytes || cursor.length > 2 * incarnationBytes) return undefined
  if (!store.incarnation.every((byte, index) => byte === cursor[index])) return undefined
  let position = 0
  try {
    position = decoding.readVarUint(decoding.createDecoder(cursor.subarray(incarnationBytes)))
  } catch {
    // A device may send any bytes as its cursor; none that aren't ours count.
    return undefined
  }
  return position <= store.position && position >= oldest ? position : undefined
}
