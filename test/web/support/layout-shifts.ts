import type { BrowserContext, Page } from 'playwright-core'

export interface Shift {
  /** The moved part of the window, and the distance (https://web.dev/articles/cls). */
  value: number
  /** The elements that moved. */
  moved: string[]
}

interface ShiftEntry extends PerformanceEntry {
  value: number
  hadRecentInput: boolean
  sources: { node: Node | null }[]
}

/**
 * Returns a function that returns the elements that moved automatically since this call. Includes moves right after a press,
 * which browsers do not count.
 */
export async function watchLayoutShifts(page: Page): Promise<() => Promise<Shift[]>> {
  const watch = await page.evaluateHandle(() => {
    const shifts: Shift[] = []
    const note = (entries: PerformanceEntry[]): void => {
      for (const { value, sources } of entries as ShiftEntry[]) {
        const moved = sources.map(({ node }) =>
          node instanceof Element
            ? `${node.className || node.tagName} “${node.textContent?.slice(0, 30)}”`
            : `text in ${node?.parentElement?.className}`,
        )
        shifts.push({ value, moved })
      }
    }
    const observer = new PerformanceObserver(list => note(list.getEntries()))
    observer.observe({ type: 'layout-shift' })
    return {
      end: () => {
        note(observer.takeRecords())
        observer.disconnect()
        return shifts
      },
    }
  })
  return () => watch.evaluate(({ end }) => end())
}

/**
 * Records elements that move automatically on any page, from its first paint on, as browsers count them for CLS: not within
 * half a second of a press. Returns a function that returns the records of a page so far.
 */
export async function noteLayoutShifts(context: BrowserContext): Promise<(page: Page) => Promise<Shift[]>> {
  await context.addInitScript(() => {
    const shifts: Shift[] = []
    Object.assign(globalThis, { shifts })
    new PerformanceObserver(list => {
      for (const { value, hadRecentInput, sources } of list.getEntries() as ShiftEntry[]) {
        if (hadRecentInput) continue
        const moved = sources.map(({ node }) => {
          const element = node instanceof Element ? node : node?.parentElement
          return `${element?.className || element?.tagName} “${node?.textContent?.slice(0, 30)}”`
        })
        shifts.push({ value, moved })
      }
    }).observe({ type: 'layout-shift', buffered: true })
  })
  return page => page.evaluate(() => (globalThis as unknown as { shifts: Shift[] }).shifts)
}
