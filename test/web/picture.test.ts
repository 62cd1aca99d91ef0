import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { threeDevices } from './support/demo.ts'
import type { DeviceCard } from './support/device-card.ts'
import { screenshot } from './support/screenshot.ts'

test('a big picture becomes a thumbnail of at most 32 KiB, and others see it', async () => {
  const { page, alicesPhone, alicesLaptop, bobsPhone } = await threeDevices()
  await page.getByRole('radiogroup', { name: 'Detail' }).getByText('Messages').click()
  await bobsPhone.add('alice')
  const photo = await noisyPicture(page, 1920)
  expect(photo.length).toBeGreaterThan(1_000_000)
  await alicesPhone.goTo('My profile')
  await choosePicture(alicesPhone, 'holiday.png', photo)
  await alicesLaptop.goTo('My profile')
  const shown = [
    alicesPhone.card.locator('.own-picture img'),
    alicesLaptop.card.locator('.own-picture img'),
    bobsPhone.row('Alice').locator('img'),
  ]
  for (const picture of shown) expect(await sidesOf(picture)).toEqual([192, 192])
  const told = page.getByRole('listitem').filter({ hasText: /^Bob’s phone got Alice’s level 0: picture/ })
  const [, bytes = ''] = /· ([\d,]+) bytes$/.exec((await told.textContent()) ?? '') ?? []
  const byteCount = Number(bytes.replaceAll(',', ''))
  expect(byteCount).toBeGreaterThan(1000)
  expect(byteCount).toBeLessThan(32 * 1024 + 100)
  await screenshot(page, 'picture')

  await alicesPhone.card.getByRole('button', { name: 'Remove it' }).click()
  await bobsPhone.row('Alice').locator('img').waitFor({ state: 'detached' })
})

test('a file that is not a picture is reported, and the picture stays', async () => {
  const { page, alicesPhone } = await threeDevices()
  await alicesPhone.goTo('My profile')
  await choosePicture(alicesPhone, 'small.png', await noisyPicture(page, 8))
  const picture = alicesPhone.card.locator('.own-picture img')
  await picture.waitFor()
  await choosePicture(alicesPhone, 'notes.png', Buffer.from('These are notes.'))
  await alicesPhone.card
    .getByText('notes.png is not a picture that this browser can read. Choose a JPEG or PNG file.')
    .waitFor()
  expect(await sidesOf(picture)).toEqual([192, 192])
})

async function choosePicture({ page, card }: DeviceCard, name: string, buffer: Buffer): Promise<void> {
  const chooser = page.waitForEvent('filechooser')
  await card.getByRole('button', { name: /^(Choose a|Change the) picture$/ }).click()
  await (await chooser).setFiles({ name, mimeType: 'image/png', buffer })
}

/** Returns the width and height of a picture after the browser has read it. */
async function sidesOf(picture: Locator): Promise<[number, number]> {
  return picture.evaluate(async (image: HTMLImageElement) => {
    await image.decode()
    return [image.naturalWidth, image.naturalHeight]
  })
}

/**
 * Returns a square PNG that stays large however it is compressed: it is full of noise, as fine as a pixel and as coarse as a
 * thumbnail's.
 */
async function noisyPicture(page: Page, side: number): Promise<Buffer> {
  const text = await page.evaluate(async side => {
    // Uniform noise, always the same (Park and Miller, 1988).
    let state = 1
    const noise = (): number => {
      state = (state * 48_271) % 0x7fffffff
      return state
    }
    const patch = Math.ceil(side / 192)
    const patches = Uint32Array.from({ length: 192 * 192 }, noise)
    const pixels = new Uint32Array(side * side)
    for (let index = 0; index < pixels.length; index++) {
      const [column, row] = [Math.floor((index % side) / patch), Math.floor(index / side / patch)]
      const coarse = patches[row * 192 + column] ?? 0
      pixels[index] = 0xff000000 | (coarse & 0xf8f8f8) | (noise() & 0x070707)
    }
    const canvas = new OffscreenCanvas(side, side)
    const image = new ImageData(new Uint8ClampedArray(pixels.buffer), side, side)
    canvas.getContext('2d')?.putImageData(image, 0, 0)
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())
    let binary = ''
    for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
    return btoa(binary)
  }, side)
  return Buffer.from(text, 'base64')
}
