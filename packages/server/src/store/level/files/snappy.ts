import * as decoding from 'lib0/decoding'

/** Decompresses Snappy (google/snappy, `format_description.txt`). Throws if the bytes are incomplete. */
export function decompress(bytes: Uint8Array): Uint8Array {
  const decoder = decoding.createDecoder(bytes)
  const output = new Uint8Array(decoding.readVarUint(decoder))
  let length = 0
  while (decoding.hasContent(decoder)) {
    const tag = decoding.readUint8(decoder)
    const kind = tag & 3
    if (kind === 0) {
      const literal = decoding.readUint8Array(decoder, literalLength(decoder, tag >>> 2))
      output.set(literal, length)
      length += literal.length
      continue
    }
    const count = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    const offset =
      kind === 1 ? ((tag >>> 5) << 8) | decoding.readUint8(decoder) : littleEndian(decoder, kind === 2 ? 2 : 4)
    if (offset === 0 || offset > length || length + count > output.length) throw new RangeError('a copy from nowhere')
    // The source may overlap the destination, so this copies byte by byte.
    for (const end = length + count; length < end; length++) output[length] = output[length - offset] as number
  }
  if (length !== output.length) throw new RangeError('it ends too early')
  return output
}

function literalLength(decoder: decoding.Decoder, code: number): number {
  return (code < 60 ? code : littleEndian(decoder, code - 59)) + 1
}

function littleEndian(decoder: decoding.Decoder, bytes: number): number {
  let value = 0
  for (let index = 0; index < bytes; index++) value += decoding.readUint8(decoder) * 2 ** (8 * index)
  return value
}
