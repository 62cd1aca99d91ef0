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
    const plain = new Blob([update as Uint8Array<ArrayBuffer>]).stream()
    const stream = plain.pipeThrough(new CompressionStream('deflate-raw'))
    const deflated = new Uint8Array(await new Response(stream).arrayBuffer())
    return deflated.length < update.length ? deflated : undefined
  } catch {
    return undefined // It is sent all the same.
  }
}
