/** CRC-32C (RFC 3720, B.4), four bytes at a time. */
const tables = makeTables()

export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = tables
  let crc = -1
  let at = 0
  for (const whole = bytes.length - 3; at < whole; at += 4) {
    crc ^= word(bytes, at)
    crc =
      (t3[crc & 0xff] as number) ^
      (t2[(crc >>> 8) & 0xff] as number) ^
      (t1[(crc >>> 16) & 0xff] as number) ^
      (t0[crc >>> 24] as number)
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[at] as number)) & 0xff] as number)
  return ~crc >>> 0
}

/** LevelDB stores masked checksums, because the CRC of bytes that contain their own CRC is not useful (`util/crc32c.h`). */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

function makeTables(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    return crc
  })
  const next = (table: Int32Array): Int32Array => table.map(crc => (crc >>> 8) ^ (first[crc & 0xff] as number))
  const second = next(first)
  const third = next(second)
  return [first, second, third, next(third)]
}
