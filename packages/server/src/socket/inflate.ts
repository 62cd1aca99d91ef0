import { type InflateRaw, inflateRawSync } from 'node:zlib'
import type { DeflatedRoster } from '@kith/shared/wire'

/**
 * Returns the update of a compressed message, or `undefined` unless the message contains exactly as many bytes as it declares.
 * Synchronous, since the size is bounded: the order of frames is kept, and no connection keeps decompression state [S3].
 */
export function inflate({ size, payload }: Pick<DeflatedRoster, 'size' | 'payload'>): Uint8Array | undefined {
  try {
    // One byte more than needed: otherwise zlib allocates another chunk of memory to find out that it has reached the end.
    const { buffer, engine } = inflateRawSync(payload, {
      maxOutputLength: size,
      chunkSize: Math.max(64, size + 1),
      info: true,
    }) as unknown as { buffer: Uint8Array; engine: InflateRaw }
    if (buffer.length !== size || engine.bytesWritten !== payload.length) return undefined
    return new Uint8Array(buffer.buffer, buffer.byteOffset, size)
  } catch {
    // The only input is the message. If it is malformed, that is the sender's mistake.
    return undefined
  }
}
