import type { Browser, Page } from 'playwright-core'
import { launchChromium } from './chromium.ts'
import { startDemoProcess } from './demo-process.ts'
import { tasksDuring } from './main-thread.ts'
import { percentile, print, type Row, rounded } from './report.ts'

/** (e) Scrolls the demo page's list of 5,000 contacts from one end to the other in a real browser. */
const pixelsPerFrame = 300
const rounds = 3

export async function pageScroll(): Promise<void> {
  const demo = await startDemoProcess()
  let browser: Browser | undefined
  try {
    browser = await launchChromium()
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, baseURL: demo.url })
    await makeUpContacts(page)
    const rows: Row[] = []
    for (let round = 1; round <= rounds; round++) {
      const { result, tasks } = await tasksDuring(browser, page, () => scroll(page))
      const { frames, mostRows } = result
      rows.push({
        ...{ round, frames: frames.length, 'p50 ms': percentile(frames, 0.5), 'p99 ms': percentile(frames, 0.99) },
        ...{ 'longest ms': rounded(Math.max(...frames)), 'frames above 50 ms': frames.filter(ms => ms > 50).length },
        'own work: ms a frame': rounded(tasks.reduce((sum, ms) => sum + ms, 0) / frames.length),
        ...{ 'longest task': rounded(Math.max(...tasks)), 'rows on the page': mostRows },
      })
    }
    print(`(e) 5,000 contacts scrolled by ${pixelsPerFrame} pixels a frame, from one end to the other`, rows)
  } finally {
    await browser?.close()
    await demo.stop()
  }
}

async function makeUpContacts(page: Page): Promise<void> {
  await page.goto('/#alice/phone')
  await page.getByText('Saved on the server').waitFor()
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Add several at once' }).click()
  await dialog.getByRole('button', { name: 'Fill in 5,000 made-up names' }).click()
  await dialog.getByRole('button', { name: 'Add', exact: true }).click()
  await page.getByPlaceholder('Search 5,000 contacts').waitFor()
  await page.getByText('Saved on the server').waitFor()
}

interface Scrolled {
  /** The times from each frame to the next, in milliseconds. */
  frames: number[]
  mostRows: number
}

function scroll(page: Page): Promise<Scrolled> {
  return page.getByRole('grid').evaluate(async (list, by) => {
    const frames: number[] = []
    let mostRows = 0
    const nextFrame = (): Promise<number> => new Promise(resolve => requestAnimationFrame(resolve))
    list.scrollTop = 0
    let before = await nextFrame()
    while (list.scrollTop + list.clientHeight < list.scrollHeight - 1) {
      list.scrollTop += by
      const now = await nextFrame()
      frames.push(now - before)
      before = now
      mostRows = Math.max(mostRows, list.querySelectorAll('[role=row]').length)
    }
    return { frames, mostRows }
  }, pixelsPerFrame)
}
