import type { Browser } from 'playwright-core'
import { launchChromium } from './chromium.ts'
import { type DemoProcess, startDemoProcess } from './demo-process.ts'
import { percentile, print, type Row, rounded } from './report.ts'

/**
 * (g) Measures the time until the demo page is painted and until it can be used. Compares this build with another one if
 * `KITH_PAGE_BEFORE` names its folder (a checkout that is built). The two take turns, so that both run under the same
 * conditions.
 */
const rounds = 15

export async function pageLoad(): Promise<void> {
  const folder = process.env['KITH_PAGE_BEFORE']
  const demos: [string, DemoProcess][] = [['this build', await startDemoProcess()]]
  if (folder !== undefined) demos.push(['before', await startDemoProcess({ checkout: folder })])
  let browser: Browser | undefined
  try {
    browser = await launchChromium()
    const times = new Map(demos.map(([name]) => [name, { paint: [] as number[], interactive: [] as number[] }]))
    for (let round = 0; round <= rounds; round++) {
      for (const [name, { url }] of demos) {
        const { paint, interactive } = await load(browser, url)
        if (round === 0) continue // The first load reads the files from the disk.
        times.get(name)?.paint.push(paint)
        times.get(name)?.interactive.push(interactive)
      }
    }
    const rows: Row[] = [...times].map(([page, { paint, interactive }]) => ({
      ...{ page, 'first paint: least ms': Math.min(...paint), p50: percentile(paint, 0.5) },
      ...{ 'interactive: least ms': rounded(Math.min(...interactive)), 'its p50': percentile(interactive, 0.5) },
    }))
    print(`(g) the welcome of the demo page, loaded ${rounds} times by a new browser profile`, rows)
  } finally {
    await browser?.close()
    for (const [, demo] of demos) await demo.stop()
  }
}

/**
 * Returns milliseconds since the navigation began. Interactive: the page's first button exists, and one frame after it was
 * drawn.
 */
async function load(browser: Browser, url: string): Promise<{ paint: number; interactive: number }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, serviceWorkers: 'block' })
  try {
    const page = await context.newPage()
    await page.addInitScript(() => {
      const look = (): void => {
        if (document.querySelector('#page button')) {
          requestAnimationFrame(() => setTimeout(() => Object.assign(globalThis, { interactiveAt: performance.now() })))
        } else requestAnimationFrame(look)
      }
      requestAnimationFrame(look)
    })
    await page.goto(url)
    await page.waitForFunction(
      () => 'interactiveAt' in globalThis && performance.getEntriesByName('first-contentful-paint').length > 0,
    )
    return await page.evaluate(() => ({
      paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
      interactive: (globalThis as unknown as { interactiveAt: number }).interactiveAt,
    }))
  } finally {
    await context.close()
  }
}
