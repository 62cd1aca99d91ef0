import * as decoding from 'lib0/decoding'

/** One atomic write, in the format of LevelDB's log (`db/write_batch.cc`). */
export interface WriteBatch {
  /** The number of the first operation. Operations are numbered without gaps. */
  sequence: number
  count: number
  puts: ReadonlyMap<string, Uint8Array>
}

const headerBytes = 12
const utf8 = new TextDecoder()

/** Throws if the bytes are not a write batch. */
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
