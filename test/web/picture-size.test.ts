import { deflateSync } from 'node:zlib'
import { expect } from 'vitest'
import { isSmallPicture } from '../../examples/web/src/device/picture-size.ts'
import { browser, test } from './support/chromium.ts'

test('pictures of this page are drawn, however small or see-through, and none that unfolds to more', async () => {
  const page = await (await browser()).newPage()
  const made = await page.evaluate(async () => {
    const pictures: [label: string, bytes: number[]][] = []
    for (const [type, quality] of [
      ['image/webp', 0.5],
      ['image/webp', 1],
      ['image/png', undefined],
    ] as const) {
      for (const colour of ['red', 'rgb(0 0 0 / 50%)']) {
        for (const [width, height] of [
          [1, 1],
          [192, 192],
          [1024, 1024],
          [1025, 3],
          [3, 1025],
        ] as const) {
          const canvas = new OffscreenCanvas(width, height)
          const context = canvas.getContext('2d', { alpha: colour !== 'red' }) as OffscreenCanvasRenderingContext2D
          context.fillStyle = colour
          context.fillRect(0, 0, width, height)
          const blob = await canvas.convertToBlob({ type, ...(quality !== undefined && { quality }) })
          const label = `${blob.type} ${quality} ${colour} ${width}x${height}`
          pictures.push([label, [...new Uint8Array(await blob.arrayBuffer())]])
        }
      }
    }
    return pictures
  })
  await page.close()
  const kinds = made.map(([, bytes]) => String.fromCharCode(...bytes.slice(12, 16)))
  expect(new Set(kinds)).toEqual(new Set(['VP8X', 'IHDR']))
  for (const [label, bytes] of made) {
    expect([label, isSmallPicture(new Uint8Array(bytes))]).toEqual([label, !label.includes('1025')])
  }
})

test('simpler WebPs, lossy and lossless, are read too', () => {
  const lossy = Buffer.from('UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA', 'base64')
  const lossless = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64')
  const large = [lossy, lossy, lossless, lossless].map(bytes => Buffer.from(bytes)) as [Buffer, Buffer, Buffer, Buffer]
  large[0].writeUInt16LE(1025, 26)
  large[1].writeUInt16LE(1025, 28)
  large[2].writeUInt32LE(1024, 21)
  large[3].writeUInt32LE(1024 << 14, 21)
  const shown = [lossy, lossless, ...large].map(bytes => isSmallPicture(new Uint8Array(bytes)))
  expect(shown).toEqual([true, true, false, false, false, false])
})

test('a PNG that says it has hundreds of millions of pixels, an SVG, HTML and no bytes are no pictures', () => {
  const bomb = Buffer.concat([
    Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
    Buffer.from([0, 0, 0x4a, 0x38, 0, 0, 0x4a, 0x38, 1, 0, 0, 0, 0]),
    deflateSync(Buffer.alloc(1000)),
  ])
  const texts = [
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"></svg>',
    '<!doctype html><p>Sign in',
    '',
  ]
  for (const bytes of [bomb, ...texts.map(text => Buffer.from(text))]) {
    expect(isSmallPicture(new Uint8Array(bytes))).toBe(false)
  }
})
