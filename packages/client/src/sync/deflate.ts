import { maxInflatedBytes } from '@kith/shared/wire'

/** Smaller updates take only a few packets: compression gains little, and their sizes are better not changed. */
const leastBytes = 4 * 1024

/**
 * Compresses an update with raw DEFLATE. Returns `undefined` if the update is to be sent uncompressed: it is small, too large
 * for a compressed message, does not get shorter, or the platform has no raw DEFLATE (browsers before 2023).
 */
export async function deflate(update: Uint8Array): Promise<Uint8Array | undefined> {
  if (update.length < leastBytes || update.length > maxInflatedBytes) return undefined
  try {
    const { readable, writable } = new CompressionStream('deflate-raw')
    const [deflated] = await Promise.all([bytesOf(readable), write(writable, update)])
    return deflated.length < update.length ? deflated : undefined
  } catch {
    return undefined // Sent uncompressed.
  }
}

async function write(stream: WritableStream, bytes: Uint8Array): Promise<void> {
  const writer = stream.getWriter()
  await Promise.all([writer.write(bytes), writer.close()])
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const reader = stream.getReader()
  const parts: Uint8Array[] = []
  let length = 0
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value)
    length += part.value.length
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
