import type { BrowserContext, Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import { type DemoProcess, startDemoProcess } from '../../../bench/src/demo-process.ts'
import { browser } from './chromium.ts'
import { Complaints } from './complaints.ts'
import { DeviceCard } from './device-card.ts'

export interface Look {
  size?: keyof typeof sizes
  /** The page's address; `/#alice/phone` is the window of one device. */
  at?: string
}

/** In CSS pixels. */
export const sizes = {
  desk: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
  'small phone': { width: 320, height: 568 },
}

/** How long anything may take that a test waits for. */
const patienceMs = 40_000

/** The demo page in a real browser with nothing in it, on a server of its own. */
export interface Demo {
  server: DemoProcess
  /** A browser profile: its pages share databases. */
  context: BrowserContext
  page: Page
  complaints: Complaints
  /** By its heading, as in “Alice’s phone”. */
  device(title: string): DeviceCard
}

/** Gone when the test ends; which fails if the browser complained of anything that the test didn't expect. */
export async function openDemo({ size = 'desk', at = '/' }: Look = {}): Promise<Demo> {
  const server = await startDemoProcess()
  onTestFinished(() => server.stop())
  const context = await (await browser()).newContext({
    ...{ viewport: sizes[size], hasTouch: size !== 'desk', baseURL: server.url },
    ...{ locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce' },
  })
  context.setDefaultTimeout(patienceMs)
  const complaints = new Complaints(context)
  onTestFinished(async () => {
    await context.close()
    expect(complaints.unexpected).toEqual([])
  })
  const page = await context.newPage()
  await page.goto(at)
  return { server, context, page, complaints, device: title => new DeviceCard(page, title) }
}

export interface ThreeDevices extends Demo {
  alicesPhone: DeviceCard
  alicesLaptop: DeviceCard
  bobsPhone: DeviceCard
}

/** “Open three devices”, each of them in step with the server. */
export async function threeDevices(look: Look = {}): Promise<ThreeDevices> {
  const demo = await openDemo(look)
  await demo.page.getByRole('button', { name: 'Open three devices' }).click()
  const [alicesPhone, alicesLaptop, bobsPhone] = ['Alice’s phone', 'Alice’s laptop', 'Bob’s phone'].map(
    demo.device,
  ) as [DeviceCard, DeviceCard, DeviceCard]
  for (const device of [alicesPhone, alicesLaptop, bobsPhone]) await device.isInStep()
  return { ...demo, alicesPhone, alicesLaptop, bobsPhone }
}
