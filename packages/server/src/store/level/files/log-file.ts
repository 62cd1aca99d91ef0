import { maskedCrc32c } from './crc32c.ts'

/** The entries of a log, in their order. */
export type LogEntry =
  | { state: 'whole'; at: number; bytes: Uint8Array }
  /** Cut short, or zeros to the end: the result of a crash during a write. */
  | { state: 'torn'; at: number }
  | { state: 'damaged'; at: number }

const blockBytes = 32 * 1024
const headerBytes = 7
/** Complete records, and the parts of a record that spans several blocks. 3 is a middle part. */
const [full, first, last] = [1, 2, 4]

/**
 * Reads a file in LevelDB's log format (its `doc/log_format.md`), the format of its logs and manifests: blocks of 32 KiB that
 * contain records, each with a checksum. LevelDB's own recovery skips damaged data, up to the next block. This function reports
 * the damage.
 */
export function* readLog(file: Uint8Array): Iterable<LogEntry> {
  let pending: { at: number; parts: Uint8Array[] } | undefined
  for (let block = 0; block < file.length; block += blockBytes) {
    const end = Math.min(block + blockBytes, file.length)
    const isLast = end === file.length
    let at = block
    while (end - at >= headerBytes) {
      const fragment = fragmentAt(file, at, end)
      if (!fragment) {
        const isEnd = isZeros(file.subarray(at)) || (isLast && isCutShort(file, at))
        yield { state: isEnd ? 'torn' : 'damaged', at }
        if (isEnd) return
        pending = undefined
        // LevelDB discards what follows, up to the end of the block. If anything follows, this was not a crash.
        at += headerBytes + lengthAt(file, at)
        continue
      }
      const { type, bytes } = fragment
      const isStart = type === full || type === first
      if (isStart === (pending !== undefined)) yield { state: 'damaged', at: pending?.at ?? at }
      if (isStart) pending = { at, parts: [] }
      pending?.parts.push(bytes)
      if (pending && (type === full || type === last)) {
        yield { state: 'whole', at: pending.at, bytes: Buffer.concat(pending.parts) }
        pending = undefined
      }
      at += headerBytes + bytes.length
    }
  }
  if (pending) yield { state: 'torn', at: pending.at }
}

function fragmentAt(file: Uint8Array, at: number, end: number): { type: number; bytes: Uint8Array } | undefined {
  const length = lengthAt(file, at)
  const type = file[at + 6] as number
  if (at + headerBytes + length > end || type < full || type > last) return undefined
  const checked = file.subarray(at + 6, at + headerBytes + length)
  const stored = new DataView(file.buffer, file.byteOffset + at, 4).getUint32(0, true)
  return stored === maskedCrc32c(checked) ? { type, bytes: checked.subarray(1) } : undefined
}

function isCutShort(file: Uint8Array, at: number): boolean {
  return at + headerBytes + lengthAt(file, at) > file.length
}

function isZeros(bytes: Uint8Array): boolean {
  return bytes.every(byte => byte === 0)
}

function lengthAt(file: Uint8Array, at: number): number {
  return (file[at + 4] as number) | ((file[at + 5] as number) << 8)
}
