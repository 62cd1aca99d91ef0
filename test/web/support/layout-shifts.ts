import type { BrowserContext, Page } from 'playwright-core'

export interface Shift {
  /** How much of the window moved, and how far (https://web.dev/articles/cls). */
  value: number
  /** What moved. */
  moved: string[]
}

interface ShiftEntry extends PerformanceEntry {
  value: number
  hadRecentInput: boolean
  sources: { node: Node | null }[]
}

/** Gives what moved by itself since this was called; also right after a press, which browsers don't count. */
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
 * Notes what moves by itself on any page from its first paint on, as browsers count it for CLS: not within half a second of
 * a press. Gives what it noted on a page so far.
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
