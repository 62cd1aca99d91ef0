import { maxInflatedBytes } from '@kith/shared/wire'

/** Smaller updates take a few packets at most: there is little to gain, and their sizes are best left as they are. */
const leastBytes = 4 * 1024

/**
 * An update as raw DEFLATE. `undefined` where it is to go as it is: it is small, too large for a compressed message, does not
 * get shorter, or the platform has no raw DEFLATE, as browsers of before 2023.
 */
export async function deflate(update: Uint8Array): Promise<Uint8Array | undefined> {
  if (update.length < leastBytes || update.length > maxInflatedBytes) return undefined
  try {
    const { readable, writable } = new CompressionStream('deflate-raw')
    const [deflated] = await Promise.all([bytesOf(readable), write(writable, update)])
    return deflated.length < update.length ? deflated : undefined
  } catch {
    return undefined // It goes as it is.
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
