import { type Demo, openDemo, type sizes } from './demo.ts'
import type { DeviceCard } from './device-card.ts'
import { bidiId, bidiName, type FullHouse, fullHouse, longWord } from './full-house.ts'
import { screenshot } from './screenshot.ts'
import { smallTargets } from './targets.ts'
import { misplacedBoxes } from './text-boxes.ts'
import { disorderedTexts } from './text-order.ts'

/**
 * Faults on all pages that were examined: drawn over something else, out of its card, in another order, or too small for a
 * finger.
 */
class Looks {
  readonly found: string[] = []
  readonly #demo: Demo
  readonly #size: string

  constructor(demo: Demo, size: string) {
    this.#demo = demo
    this.#size = size.replace(/\W+/g, '-')
  }

  async at(name: string): Promise<void> {
    const { page } = this.#demo
    await screenshot(page, `layout-${this.#size}-${name}`)
    // The order of texts is checked on left-to-right pages.
    const isFromRight = await page.evaluate(() => document.documentElement.dir === 'rtl')
    const disordered = isFromRight ? [] : await disorderedTexts(page)
    const findings = [...(await misplacedBoxes(page)), ...disordered, ...(await smallTargets(page))]
    this.found.push(...findings.slice(0, 5).map(finding => `${name}: ${finding}`))
  }
}

export interface FullPage extends Demo {
  looks: Looks
  house: FullHouse
  alice: DeviceCard
}

/** The page with devices of Alice and of users with long and right-to-left names, on a server with a full house. */
export async function fullPage(size: keyof typeof sizes): Promise<FullPage> {
  const demo = await openDemo({ size })
  const { page, server } = demo
  const looks = new Looks(demo, size)
  await page.getByRole('heading', { name: 'Your contacts' }).waitFor()
  await looks.at('welcome')
  const house = await fullHouse(server.url)
  const devices = [
    { user: 'alice', device: 'phone' },
    { user: bidiId, device: `${bidiName} ${longWord}` },
    { user: `${longWord}@example.org`, device: longWord.slice(0, 40) },
  ]
  await page.evaluate(text => localStorage.setItem('kith-demo:devices', text), JSON.stringify(devices))
  await page.reload()
  const alice = demo.device('Alice’s phone')
  await alice.isInStep()
  return { ...demo, looks, house, alice }
}
