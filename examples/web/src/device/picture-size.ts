/** A picture with more pixels on a side is not drawn: a few bytes can expand to gigabytes. */
const mostPixels = 1024

/** Whether these bytes are a picture as this page makes them (WebP, or PNG where a browser cannot), of a reasonable size. */
export function isSmallPicture(bytes: Uint8Array): boolean {
  const sides = sidesOf(bytes)
  return sides !== undefined && Math.max(...sides) <= mostPixels
}

/** The sides from the first bytes: PNG (ISO 15948, 11.2.2), WebP (RFC 9649); `undefined` for any other bytes. */
function sidesOf(bytes: Uint8Array): [width: number, height: number] | undefined {
  if (bytes.length < 30) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (textAt(view, 1) === 'PNG\r' && textAt(view, 12) === 'IHDR') return [view.getUint32(16), view.getUint32(20)]
  if (textAt(view, 0) !== 'RIFF' || textAt(view, 8) !== 'WEBP') return undefined
  switch (textAt(view, 12)) {
    case 'VP8 ':
      return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff]
    case 'VP8L': {
      const bits = view.getUint32(21, true)
      return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1]
    }
    case 'VP8X':
      return [(view.getUint32(24, true) & 0xffffff) + 1, (view.getUint32(26, true) >>> 8) + 1]
    default:
      return undefined
  }
}

function textAt(view: DataView, start: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map(index => view.getUint8(start + index)))
}
