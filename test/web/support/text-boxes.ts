import type { Page } from 'playwright-core'

/** Two boxes may overlap by this much, in CSS pixels, because letters of some fonts extend beyond their line. */
const toleranceInPixels = 2

/**
 * Returns boxes that are drawn over something else on the current page, or that stick out of their card. Each finding names the
 * texts. A box is a line of text, a field, a button or a picture. Contents of the top layer (a dialog, a menu, a notice) are
 * compared only with each other. Content that is scrolled out of view counts too.
 */
export function misplacedBoxes(page: Page): Promise<string[]> {
  return page.evaluate(tolerance => {
    interface Box {
      element: Element
      rect: DOMRect
      text: string
      layer: Element | null
    }
    const layers = '.overlay, .popover, .notices'
    const controls = 'input, textarea, select, button, .picture, .chip, .level-choice, .switch-track'
    const top = [...document.querySelectorAll('.overlay, .popover')].at(-1) ?? null

    const isSeen = (element: Element): boolean =>
      element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
      element.closest('.visually-hidden, [style*="clip"], option, [inert]') === null

    const boxes: Box[] = []
    const add = (element: Element, rects: Iterable<DOMRect>, text: string): void => {
      const layer = element.closest(layers)
      if (top && !top.contains(element)) return
      for (const rect of rects) if (rect.width > 1 && rect.height > 1) boxes.push({ element, rect, text, layer })
    }
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      const { parentElement: parent, textContent } = node
      if (!parent || !textContent?.trim() || !isSeen(parent)) continue
      const range = document.createRange()
      range.selectNodeContents(node)
      add(parent, range.getClientRects(), textContent.trim().slice(0, 40))
    }
    for (const element of document.querySelectorAll(controls)) {
      if (!isSeen(element)) continue
      const name = element.getAttribute('aria-label') ?? element.textContent ?? ''
      add(element, [element.getBoundingClientRect()], `${element.tagName.toLowerCase()} ${name.trim().slice(0, 40)}`)
    }

    /** Returns the part of a box that remains after elements which cut it off, and which do not contain the other box too. */
    const shown = ({ element, rect }: Box, other: Element): DOMRect => {
      let [left, top, right, bottom] = [rect.left, rect.top, rect.right, rect.bottom]
      for (let around: Element | null = element; around; around = around.parentElement) {
        if (around.contains(other)) break
        const { overflowX, overflowY } = getComputedStyle(around)
        const edge = around.getBoundingClientRect()
        if (overflowX !== 'visible') [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)]
        if (overflowY !== 'visible') [top, bottom] = [Math.max(top, edge.top), Math.min(bottom, edge.bottom)]
      }
      return new DOMRect(left, top, Math.max(0, right - left), Math.max(0, bottom - top))
    }
    const sharesTooMuch = (a: DOMRect, b: DOMRect): boolean =>
      Math.min(a.right, b.right) - Math.max(a.left, b.left) > tolerance &&
      Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > tolerance
    const told = ({ text, rect }: Box): string =>
      `“${text}” at ${[rect.left, rect.top, rect.right, rect.bottom].map(Math.round).join(' ')}`

    const found: string[] = []
    for (const [index, one] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) {
        if (one.layer !== other.layer || one.element.contains(other.element) || other.element.contains(one.element)) {
          continue
        }
        if (!sharesTooMuch(one.rect, other.rect)) continue
        if (sharesTooMuch(shown(one, other.element), shown(other, one.element))) {
          found.push(`${told(one)} lies over ${told(other)}`)
        }
      }
    }
    /** Cut off without a way to read the rest: no ellipsis, no scrolling. */
    for (const box of boxes) {
      for (let around: Element | null = box.element; around; around = around.parentElement) {
        const { overflowX, textOverflow } = getComputedStyle(around)
        const edge = around.getBoundingClientRect()
        const beyond = Math.max(box.rect.right - edge.right, edge.left - box.rect.left)
        const isLast = around === document.documentElement
        if (overflowX === 'visible' && !isLast) continue
        if (beyond > tolerance && textOverflow !== 'ellipsis' && !around.matches('.desk, .devices, .device-nav')) {
          found.push(`${told(box)} sticks out of ${around.className || around.tagName} by ${Math.round(beyond)} px`)
        }
        break
      }
    }
    return [...new Set(found)]
  }, toleranceInPixels)
}
