import * as decoding from 'lib0/decoding'
import { maskedCrc32c } from './crc32c.ts'
import { decompress } from './snappy.ts'

interface Handle {
  offset: number
  bytes: number
}

/** A part of a table that differs from what was written: keys after `after` (all, if absent), up to `upTo`. */
export interface DamagedPart {
  at: number
  after?: Uint8Array | undefined
  upTo?: Uint8Array | undefined
}

const footerBytes = 48
const trailerBytes = 5
const magic = 0xdb4775248b80fb57n

/**
 * Verifies the checksum of every block of a table (LevelDB's `doc/table_format.md`). Returns an empty list if the table is
 * intact.
 */
export function verifyTable(file: Uint8Array): DamagedPart[] {
  const verifying = verifyInSlices(file)
  for (;;) {
    const step = verifying.next()
    if (step.done) return step.value
  }
}

/** The number of blocks of some 4 KiB that are verified in one slice. */
const blocksInSlice = 64

/** The same, in slices of about a millisecond, if no block is large. */
export function* verifyInSlices(file: Uint8Array): Generator<void, DamagedPart[]> {
  try {
    const footer = footerOf(file)
    return footer ? yield* verifyBlocks(file, footer) : [{ at: Math.max(0, file.length - footerBytes) }]
  } catch {
    // Only the footer has no checksum. If it refers to an intact but wrong block, that block cannot be parsed as the expected
    // kind.
    return [{ at: file.length - footerBytes }]
  }
}

interface Footer {
  meta: Handle
  index: Handle
}

function* verifyBlocks(file: Uint8Array, footer: Footer): Generator<void, DamagedPart[]> {
  const index = blockAt(file, footer.index)
  if (!index) return [{ at: footer.index.offset }]
  const damaged: DamagedPart[] = []
  let after: Uint8Array | undefined
  let verified = 0
  for (const { key, value } of entriesOf(index)) {
    if (++verified % blocksInSlice === 0) yield
    const handle = readHandle(decoding.createDecoder(value))
    if (!hasChecksum(file, handle)) damaged.push({ at: handle.offset, after, upTo: key })
    after = key
  }
  // The filter, which tells which keys are absent.
  const meta = blockAt(file, footer.meta)
  const filters = meta ? entriesOf(meta).map(({ value }) => readHandle(decoding.createDecoder(value))) : []
  const isFilterWhole = meta !== undefined && filters.every(handle => hasChecksum(file, handle))
  if (!isFilterWhole) damaged.push({ at: footer.meta.offset })
  return damaged
}

function footerOf(file: Uint8Array): Footer | undefined {
  if (file.length < footerBytes) return undefined
  const footer = file.subarray(file.length - footerBytes)
  if (new DataView(footer.buffer, footer.byteOffset, footerBytes).getBigUint64(40, true) !== magic) return undefined
  const decoder = decoding.createDecoder(footer)
  return { meta: readHandle(decoder), index: readHandle(decoder) }
}

function readHandle(decoder: decoding.Decoder): Handle {
  return { offset: decoding.readVarUint(decoder), bytes: decoding.readVarUint(decoder) }
}

function hasChecksum(file: Uint8Array, { offset, bytes }: Handle): boolean {
  if (offset + bytes + trailerBytes > file.length) return false
  const stored = new DataView(file.buffer, file.byteOffset + offset + bytes + 1, 4).getUint32(0, true)
  return stored === maskedCrc32c(file.subarray(offset, offset + bytes + 1))
}

/** Returns the block, uncompressed, or `undefined` if it is damaged. */
function blockAt(file: Uint8Array, handle: Handle): Uint8Array | undefined {
  if (!hasChecksum(file, handle)) return undefined
  const { offset, bytes } = handle
  const block = file.subarray(offset, offset + bytes)
  return file[offset + bytes] === 1 ? decompress(block) : block
}

/** Each key omits the part that it shares with the previous key. Restart points and their number follow the entries. */
function entriesOf(block: Uint8Array): { key: Uint8Array; value: Uint8Array }[] {
  const restarts = new DataView(block.buffer, block.byteOffset + block.length - 4, 4).getUint32(0, true)
  const decoder = decoding.createDecoder(block.subarray(0, block.length - 4 * (restarts + 1)))
  const entries: { key: Uint8Array; value: Uint8Array }[] = []
  let key: Uint8Array = new Uint8Array()
  while (decoding.hasContent(decoder)) {
    const shared = decoding.readVarUint(decoder)
    const own = decoding.readVarUint(decoder)
    const bytes = decoding.readVarUint(decoder)
    key = Buffer.concat([key.subarray(0, shared), decoding.readUint8Array(decoder, own)])
    entries.push({ key, value: decoding.readUint8Array(decoder, bytes) })
  }
  return entries
}
