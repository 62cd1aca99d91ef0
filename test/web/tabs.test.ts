import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { type Demo, openDemo } from './support/demo.ts'
import { DeviceCard } from './support/device-card.ts'

/** Opens Alice's phone in a window of its own. */
async function windowOf({ context }: Demo): Promise<{ tab: Page; phone: DeviceCard }> {
  const tab = await context.newPage()
  await tab.goto('/#alice/phone')
  const phone = new DeviceCard(tab, 'Alice’s phone')
  await phone.isInStep()
  return { tab, phone }
}

test('two tabs of one device stay in step over one socket', async () => {
  const demo = await openDemo()
  const [one, other] = [await windowOf(demo), await windowOf(demo)]
  await one.phone.add('bob')
  await other.phone.openContact('Bob')
  await other.phone.switchCircle('Family')
  await expect.poll(() => one.phone.levelsOf('Bob'), { message: 'the level, in the other tab' }).toBe('2')
  await one.phone.isInStep()
  await other.phone.isInStep()
  expect(await demo.server.sessionCount()).toBe(1)
})

test('a device that is erased in one window shows nothing in another, and starts empty there', async () => {
  const demo = await openDemo()
  // The other window takes over the socket when the first one closes, and then releases it.
  demo.complaints.expect(/wants to delete database/, /closed before the connection is established/)
  const [one, other] = [await windowOf(demo), await windowOf(demo)]
  await one.phone.add('bob')
  await one.phone.isInStep()
  await other.phone.row('Bob').waitFor()
  await one.phone.card.getByRole('button', { name: /^More for/ }).click()
  await one.tab.getByRole('menuitem', { name: 'Erase this device…' }).click()
  await one.tab
    .getByRole('alertdialog')
    .getByRole('button', { name: /^Erase/ })
    .click()
  await other.tab.getByText('This device is empty now.').waitFor()
  expect(await other.tab.getByText('Bob').count()).toBe(0)
  await other.tab.getByRole('button', { name: 'Start again, empty' }).click()
  await other.phone.isInStep()
})

test('when the tab that holds the socket closes, another one takes over before a second has gone by', async () => {
  const demo = await openDemo()
  const [one, other] = [await windowOf(demo), await windowOf(demo)]
  // From here on, the other tab's clock advances only as instructed, however busy the machine is.
  await other.tab.clock.install()
  await other.tab.clock.pauseAt(Date.now() + 1000)
  const opened = other.tab.waitForEvent('websocket')
  await one.tab.close()
  await other.tab.clock.runFor(999)
  await opened
  await other.tab.clock.resume()
  await other.phone.add('bob')
  await other.phone.isInStep()
  expect(await demo.server.sessionCount()).toBe(1)
})

test('when the tab that holds the socket stands still, another says so, takes over, and loses nothing; the first follows once it wakes', async () => {
  const demo = await openDemo()
  const [one, other] = [await windowOf(demo), await windowOf(demo)]
  // The data that the second window brought is stored. A tab that was suspended within a transaction would block the database
  // for all tabs.
  await one.tab.evaluate(() => new Promise(resolve => setTimeout(() => requestIdleCallback(resolve), 2_000)))
  // No other code of this page runs until the alert is closed.
  const opened = one.tab.waitForEvent('dialog')
  const still = one.tab.evaluate(() => alert('Read this'))
  const alerted = await opened
  await other.phone.add('bob', { circles: ['Family'] })
  await other.phone.says(/^Looking for the server · /)
  await other.phone.isInStep()
  await alerted.accept()
  await still
  await one.phone.isInStep()
  await expect.poll(() => one.phone.levelsOf('Bob'), { message: 'the level, in the tab that stood still' }).toBe('2')
  await expect.poll(() => demo.server.sessionCount()).toBe(1)
  await one.phone.add('carol')
  await one.phone.isInStep()
  await other.tab.close()
  await one.phone.add('dave')
  await one.phone.isInStep()
  expect(await demo.server.sessionCount()).toBe(1)
}, 120_000)
