import type { Page } from 'playwright-core'

/**
 * Returns controls that are too small for a finger (less than 44 px high or wide), and fields whose text makes a phone zoom in
 * (less than 16 px).
 */
export function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const controls =
      'button, summary, select, [role=tab], [role=menuitem], [role=menuitemradio], .switch, .radio, .circle-choice, .segments label'
    const fields = 'input:not([type=checkbox], [type=radio], [type=file]), textarea, select'
    const isSeen = (element: Element): boolean =>
      element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
      element.closest('.visually-hidden, [style*="clip"], [inert], [aria-hidden=true]') === null
    const nameOf = (element: Element): string => `${element.tagName} “${element.textContent?.trim().slice(0, 30)}”`
    const small = [...document.querySelectorAll(controls)].filter(isSeen).filter(element => {
      const { width, height } = element.getBoundingClientRect()
      return Math.min(width, height) < 43.5
    })
    const tiny = [...document.querySelectorAll(fields)]
      .filter(isSeen)
      .filter(element => Number.parseFloat(getComputedStyle(element).fontSize) < 16)
    return [
      ...small.map(element => `${nameOf(element)} is small`),
      ...tiny.map(element => `${nameOf(element)} has small text`),
    ]
  })
}
