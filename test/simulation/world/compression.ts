import { deflateRawSync } from 'node:zlib'

/**
 * The platform's compression works in threads, and finishes at any time. In the simulated world it finishes immediately,
 * because everything else there follows the world's clock.
 */
class CompressionAtOnce extends TransformStream<Uint8Array, Uint8Array> {
  constructor(format: string) {
    if (format !== 'deflate-raw') throw new TypeError(`no device compresses as ${format}`)
    const parts: Uint8Array[] = []
    super({
      transform: part => void parts.push(part),
      flush: controller => controller.enqueue(new Uint8Array(deflateRawSync(Buffer.concat(parts)))),
    })
  }
}

globalThis.CompressionStream = CompressionAtOnce as never
