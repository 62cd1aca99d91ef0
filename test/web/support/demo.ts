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
  /** Whether the page's files are kept for a reload without the server. A test's own routes do not apply to kept files. */
  hasServiceWorker?: boolean
}

/** Window sizes, in CSS pixels. */
export const sizes = {
  desk: { width: 1440, height: 900 },
  /** The remaining size of a desk when everything is twice as large. */
  'desk at 200 %': { width: 720, height: 450 },
  tablet: { width: 820, height: 1180 },
  phone: { width: 390, height: 844 },
  'small phone': { width: 320, height: 568 },
}

/** The time limit for everything that a test waits for. */
const patienceMs = 40_000

/** The demo page in a real browser without stored data, on a server of its own. */
export interface Demo {
  server: DemoProcess
  /** A browser profile: its pages share databases. */
  context: BrowserContext
  page: Page
  complaints: Complaints
  /** Returns a device by its heading, as in “Alice’s phone”. */
  device(title: string): DeviceCard
}

/**
 * Opens the demo page. It is closed when the test ends. The test fails if the browser reported a message that the test did not
 * expect.
 */
export async function openDemo({ size = 'desk', at = '/', hasServiceWorker = false }: Look = {}): Promise<Demo> {
  const server = await startDemoProcess()
  onTestFinished(() => server.stop())
  const context = await (await browser()).newContext({
    ...{ viewport: sizes[size], hasTouch: !size.startsWith('desk'), baseURL: server.url },
    ...{ locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce' },
    serviceWorkers: hasServiceWorker ? 'allow' : 'block',
  })
  context.setDefaultTimeout(patienceMs)
  const complaints = new Complaints(context)
  if (!hasServiceWorker) complaints.expect(/Service Worker registration blocked/)
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

const three = [
  { user: 'alice', device: 'phone' },
  { user: 'alice', device: 'laptop' },
  { user: 'bob', device: 'phone' },
]

/** Opens the page with two devices of Alice's and one of Bob's. */
export async function showThree(page: Page): Promise<void> {
  await showDevices(page, three)
}

export async function showDevices(page: Page, devices: readonly { user: string; device: string }[]): Promise<void> {
  await page.evaluate(text => localStorage.setItem('kith-demo:devices', text), JSON.stringify(devices))
  await page.reload()
}

/** Opens three devices, each of them in step with the server. */
export async function threeDevices(look: Look = {}): Promise<ThreeDevices> {
  const demo = await openDemo(look)
  await showThree(demo.page)
  const [alicesPhone, alicesLaptop, bobsPhone] = ['Alice’s phone', 'Alice’s laptop', 'Bob’s phone'].map(
    demo.device,
  ) as [DeviceCard, DeviceCard, DeviceCard]
  for (const device of [alicesPhone, alicesLaptop, bobsPhone]) await device.isInStep()
  return { ...demo, alicesPhone, alicesLaptop, bobsPhone }
}
