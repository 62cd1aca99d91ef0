import { expect } from 'vitest'
import { axeFinds } from './support/axe.ts'
import { test } from './support/chromium.ts'
import { openDemo } from './support/demo.ts'
import { openTown } from './support/town.ts'

test('when more contrast is wanted, each text has 7:1 and each control an edge of 4.5:1, in light and dark mode', async () => {
  const { page, alicesPhone } = await openTown()
  await alicesPhone.row('Bob Lindgren').waitFor()
  await alicesPhone.openContact('Bob Lindgren')
  const found: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ contrast: 'more', colorScheme })
    found.push(...(await axeFinds(page, ['color-contrast-enhanced'])).map(finding => `${colorScheme}: ${finding}`))
    found.push(...(await page.evaluate(weakEdges)).map(finding => `${colorScheme}: ${finding}`))
  }
  expect(found).toEqual([])
})

test('in forced colours what is on, chosen or marked still differs from what is not', async () => {
  const { page, alicesPhone } = await openTown()
  await page.emulateMedia({ forcedColors: 'active' })
  await alicesPhone.openContact('Bob Lindgren')
  const looks = (selector: string): Promise<string[]> =>
    alicesPhone.card.locator(selector).evaluateAll(all =>
      all.map(one => {
        const { backgroundColor, borderTopWidth, borderTopColor, boxShadow, outlineStyle } = getComputedStyle(one)
        return [backgroundColor, borderTopWidth, borderTopColor, boxShadow, outlineStyle].join(' ')
      }),
    )
  const pairs = [
    ['.circle-list .switch[data-selected] .switch-track', '.circle-list .switch:not([data-selected]) .switch-track'],
    ['[role=tab][data-selected]', '[role=tab]:not([data-selected])'],
    ['.actions button[data-selected]', '.actions button:not([data-selected])'],
  ]
  for (const [on = '', off = ''] of pairs) {
    const [one, other] = [await looks(on), await looks(off)]
    expect([one.length > 0, other.length > 0], `${on} and ${off} are there`).toEqual([true, true])
    expect(other, `${on} differs from ${off}`).not.toContain(one[0])
  }
})

test('with reduced motion nothing moves through two steps of the story; without, something does', async () => {
  const { page } = await openDemo()
  const story = page.getByRole('region', { name: 'Guided story' })
  const animationsOfTwoSteps = async (reducedMotion: 'reduce' | 'no-preference'): Promise<number> => {
    await page.emulateMedia({ reducedMotion })
    await page.evaluate(() => {
      const counted = Object.assign(globalThis, { animationCount: 0 })
      for (const type of ['animationstart', 'transitionrun'])
        document.addEventListener(type, () => counted.animationCount++)
    })
    // In the second step, data is sent over the lines to the server.
    for (let step = 0; step < 2; step++) {
      await story.getByRole('button', { name: 'Do it' }).click()
      await story.getByRole('button', { name: 'Next step' }).click()
    }
    return page.evaluate(() => (globalThis as unknown as { animationCount: number }).animationCount)
  }
  await page.getByRole('button', { name: 'Begin the story' }).click()
  expect(await animationsOfTwoSteps('reduce')).toBe(0)
  expect(await animationsOfTwoSteps('no-preference')).toBeGreaterThan(0)
})

/** Returns controls whose edge has little contrast with its surroundings. For `evaluate`. */
function weakEdges(): string[] {
  const pen = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const rgb = (colour: string): number[] => {
    if (!pen) return []
    pen.clearRect(0, 0, 1, 1)
    pen.fillStyle = colour
    pen.fillRect(0, 0, 1, 1)
    return [...pen.getImageData(0, 0, 1, 1).data]
  }
  const luminance = (colour: string): number => {
    const [r = 0, g = 0, b = 0] = rgb(colour).map(value => {
      const part = value / 255
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const groundOf = (element: Element | null): string => {
    for (let around = element; around; around = around.parentElement) {
      const { backgroundColor } = getComputedStyle(around)
      if (rgb(backgroundColor)[3] === 255) return backgroundColor
    }
    return 'white'
  }
  const contrast = (a: string, b: string): number => {
    const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
    return (light + 0.05) / (dark + 0.05)
  }
  return [...document.querySelectorAll('input:not([type=checkbox], [type=radio], [type=file]), select, textarea')]
    .filter(element => element.checkVisibility())
    .filter(element => contrast(getComputedStyle(element).borderTopColor, groundOf(element.parentElement)) < 4.5)
    .map(element => `${element.tagName} ${element.getAttribute('placeholder')} has a weak edge`)
}
