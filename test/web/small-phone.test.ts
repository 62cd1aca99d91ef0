import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { openDemo, sizes } from './support/demo.ts'

test('on the smallest phone the buttons of each step of the story are seen, and names and news are whole', async () => {
  const { page } = await openDemo({ size: 'small phone' })
  await page.getByRole('button', { name: 'Begin the story' }).click()
  const story = page.getByRole('region', { name: 'Guided story' })
  const step = async (next: string): Promise<void> => {
    const button = story.getByRole('button', { name: 'Do it' })
    await button.waitFor()
    await expectSeen(button)
    await button.click()
    await story.getByRole('button', { name: next }).waitFor()
    await expectSeen(story.getByRole('button', { name: next }))
  }
  for (let index = 1; index <= 3; index++) {
    await step('Next step')
    await story.getByRole('button', { name: 'Next step' }).click()
  }
  await step('Next step')
  const titles = page.locator('.device-header h2')
  await page.locator('.notice').first().waitFor()
  expect(await cutOff(titles)).toEqual([])
  expect(await cutOff(page.locator('.notice p'))).toEqual([])
})

/** Expects that the button is visible without scrolling. */
async function expectSeen(button: Locator): Promise<void> {
  const { top, bottom } = await button.evaluate(element => {
    const { top, bottom } = element.getBoundingClientRect()
    const story = element.closest('.story')?.getBoundingClientRect()
    return { top: Math.max(top, 0), bottom: story && bottom > story.bottom ? Number.POSITIVE_INFINITY : bottom }
  })
  expect(top).toBeLessThan(bottom)
  expect(bottom).toBeLessThanOrEqual(sizes['small phone'].height)
}

/** Returns the texts that are cut off. */
function cutOff(elements: Locator): Promise<string[]> {
  return elements.evaluateAll(all =>
    all
      .filter(({ scrollWidth, clientWidth, scrollHeight, clientHeight }) => {
        return scrollWidth > clientWidth || scrollHeight > clientHeight + 2
      })
      .map(({ textContent }) => textContent),
  )
}
