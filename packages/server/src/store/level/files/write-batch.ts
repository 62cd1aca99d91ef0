import * as decoding from 'lib0/decoding'

/** One atomic write, as LevelDB's log has it (`db/write_batch.cc`). */
export interface WriteBatch {
  /** Operations are numbered without gaps; this is the number of the first. */
  sequence: number
  count: number
  puts: ReadonlyMap<string, Uint8Array>
}

const headerBytes = 12
const utf8 = new TextDecoder()

/** Throws when the bytes are none. */
export function decodeWriteBatch(bytes: Uint8Array): WriteBatch {
  const header = new DataView(bytes.buffer, bytes.byteOffset, headerBytes)
  const decoder = decoding.createDecoder(bytes.subarray(headerBytes))
  const puts = new Map<string, Uint8Array>()
  while (decoding.hasContent(decoder)) {
    const isPut = decoding.readUint8(decoder) === 1
    const key = utf8.decode(decoding.readVarUint8Array(decoder))
    if (isPut) puts.set(key, decoding.readVarUint8Array(decoder))
  }
  return { sequence: Number(header.getBigUint64(0, true)), count: header.getUint32(8, true), puts }
}
