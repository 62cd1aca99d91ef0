/** The maximum size of a picture in a profile: half of a level's limit. */
const mostBytes = 32 * 1024

const sides = [192, 128, 96, 64]
const qualities = [0.85, 0.7, 0.5]

/**
 * Returns the middle of a picture as a small square of at most 32 KiB: a copy without the metadata of a camera. Returns
 * `undefined` when the browser cannot read it as a picture.
 */
export async function thumbnail(picture: Blob): Promise<Uint8Array | undefined> {
  const bitmap = await createImageBitmap(picture).catch(() => undefined)
  if (!bitmap) return undefined
  try {
    for (const side of sides) {
      const canvas = squareOf(bitmap, side)
      for (const quality of qualities) {
        const blob = await canvas.convertToBlob({ type: 'image/webp', quality })
        if (blob.size <= mostBytes) return new Uint8Array(await blob.arrayBuffer())
      }
    }
    return undefined
  } finally {
    bitmap.close()
  }
}

function squareOf(bitmap: ImageBitmap, side: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(side, side)
  const context = canvas.getContext('2d')
  if (!context) throw new Error('this browser draws nothing')
  const cut = Math.min(bitmap.width, bitmap.height)
  const [left, top] = [(bitmap.width - cut) / 2, (bitmap.height - cut) / 2]
  context.imageSmoothingQuality = 'high'
  context.drawImage(bitmap, left, top, cut, cut, 0, 0, side, side)
  return canvas
}
