import { deflateRawSync } from 'node:zlib'

/**
 * The platform's compression works in threads, and answers whenever it is done. In the simulated world it answers at once, as
 * all else there has its time by the world's clock.
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
