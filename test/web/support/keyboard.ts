import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/**
 * Presses Tab until this element has the focus, which must be visible. Presses at most as often as the page has focusable
 * elements.
 */
export async function tabTo(page: Page, wanted: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const passed: string[] = []
  for (let press = 0; press < 30; press++) {
    await page.keyboard.press(key)
    passed.push(await page.locator(':focus').evaluateAll(([element]) => element?.outerHTML.slice(0, 60) ?? 'nothing'))
    if ((await wanted.count()) === 0 || !(await wanted.evaluate(isFocused))) continue
    expect(await page.evaluate(isFocusSeen), `${wanted} shows that it has the focus`).toBe(true)
    return
  }
  throw new Error(`${key} does not come to ${wanted}, but to:\n${passed.join('\n')}`)
}

/** For `evaluate`. */
export function isFocused(element: Element): boolean {
  return element === document.activeElement
}

/** Returns whether an element has an outline: the focused element, or the element that represents a hidden box. */
function isFocusSeen(): boolean {
  const candidates = document.querySelectorAll(':focus-visible, [data-focus-visible], [data-focus-visible] *')
  return [...candidates].some(element => {
    const isHiddenBox = element.matches('[type=checkbox], [type=radio]')
    return !isHiddenBox && getComputedStyle(element).outlineStyle !== 'none'
  })
}
