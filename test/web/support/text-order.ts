import type { Page } from 'playwright-core'

/**
 * Returns texts of the page itself whose characters appear in another order than they are read, as other people's words beside
 * them can cause. Also returns attributes in which such words are not isolated. The page is in English: from left to right.
 */
export function disorderedTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const isTurning = (text: string): boolean => /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(text)
    /** Returns for each character whether it is in an isolate of the text. */
    const isIsolated = (text: string): boolean[] => {
      let depth = 0
      return [...text].map(character => {
        if (/[\u2066-\u2068]/.test(character)) depth++
        else if (character === '\u2069') return --depth >= 0
        return depth > 0
      })
    }
    const found: string[] = []

    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      const { parentElement: parent, textContent: text } = node
      if (!parent || !text?.trim() || parent.closest('bdi, option') || !parent.checkVisibility()) continue
      const isolated = isIsolated(text)
      let before: DOMRect | undefined
      let index = 0
      for (const [number, character] of [...text].entries()) {
        const range = document.createRange()
        range.setStart(node, index)
        index += character.length
        range.setEnd(node, index)
        const rect = [...range.getClientRects()].find(({ width }) => width > 0)
        if (isolated[number] || !rect) continue
        if (before && Math.abs(before.top - rect.top) < 2 && rect.left < before.left - 1) {
          found.push(`“${text}” is turned at “${text.slice(index - character.length)}”`)
          break
        }
        before = rect
      }
    }

    for (const element of document.querySelectorAll('[aria-label], [title], option, title')) {
      // A row is named only by its name.
      if (element.matches('[role=row]')) continue
      for (const text of [element.getAttribute('aria-label'), element.getAttribute('title'), ownText(element)]) {
        if (
          text &&
          isTurning(
            [...text]
              .filter((_, at) => !isIsolated(text)[at])
              .join('')
              .replace(/\u2069/g, ''),
          )
        ) {
          found.push(`${element.tagName} has “${text}”`)
        }
      }
    }
    return found

    function ownText(element: Element): string | null {
      return element.matches('option, title') ? element.textContent : null
    }
  })
}
