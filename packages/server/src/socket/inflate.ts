import { type InflateRaw, inflateRawSync } from 'node:zlib'
import type { DeflatedRoster } from '@kith/shared/wire'

/**
 * The update of a compressed message; `undefined` unless the message holds as many bytes as it says, and nothing after them.
 * Done at once, since the size is bounded: the order of frames stays, and no connection keeps anything of it [S3].
 */
export function inflate({ size, payload }: Pick<DeflatedRoster, 'size' | 'payload'>): Uint8Array | undefined {
  try {
    // A byte of room more than is filled: else zlib asks for another piece of memory to find that it has reached the end.
    const { buffer, engine } = inflateRawSync(payload, {
      maxOutputLength: size,
      chunkSize: Math.max(64, size + 1),
      info: true,
    }) as unknown as { buffer: Uint8Array; engine: InflateRaw }
    if (buffer.length !== size || engine.bytesWritten !== payload.length) return undefined
    return new Uint8Array(buffer.buffer, buffer.byteOffset, size)
  } catch {
    // The only input is the message: what is wrong with it is the sender's mistake.
    return undefined
  }
}
